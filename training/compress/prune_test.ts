import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { openDataset } from "../dataset/open_dataset.ts";
import { drawImages, inFolder, writeRun } from "../fixtures/drawn_run.ts";
import { loadRun } from "../load_run.ts";
import { keptOf, pruneRun } from "./prune.ts";

Deno.test("keptOf() takes the smallest magnitudes of every layer but the first", async () => {
  await inFolder(async (path) => {
    await writeRun(path("run"));
    const run = await loadRun(path("run"));
    const kept = keptOf(run, 0.75);
    const first = run.graph.nodes.find(({ parameters }) => parameters.length > 0)!;
    let pruned = 0;
    for (const [name, values] of run.checkpoint.parameters) {
      const stays = kept.get(name)!;
      if (name.startsWith(`${first.name}.`) || name.endsWith(".bias")) {
        assert(stays.every((keeps) => keeps === 1), name);
        continue;
      }
      const [gone, left] = [0, 1].map((flag) =>
        values.filter((_, i) => stays[i] === flag).map(Math.abs)
      );
      assertEquals(gone!.length, Math.floor(0.75 * values.length), name);
      assert(gone!.toSorted().at(-1)! <= left!.toSorted()[0]!, name);
      pruned++;
    }
    assert(pruned >= 3);
  });
});

Deno.test("pruneRun() retrains the rest, holds the zeros, and repeats itself to the bit", async () => {
  await inFolder(async (path) => {
    await drawImages(path("images"));
    await writeRun(path("run"));
    const run = await loadRun(path("run"));
    const { side, channels } = run.preprocess;
    const dataset = await openDataset(path("images"), { side, channels });
    const pruning = { share: 0.8, epochs: 2 };
    const { checkpoint: { parameters } } = await pruneRun(run, dataset, pruning, () => {});
    const again = await pruneRun(run, dataset, pruning, () => {});
    assertEquals(again.checkpoint.parameters, parameters);
    for (const [name, stays] of keptOf(run, pruning.share)) {
      const [before, after] = [run.checkpoint.parameters.get(name)!, parameters.get(name)!];
      assert(after.every((value, i) => stays[i] === 1 || value === 0), name);
      assertNotEquals(
        after.filter((_, i) => stays[i] === 1),
        before.filter((_, i) => stays[i] === 1),
      );
    }
  });
});
