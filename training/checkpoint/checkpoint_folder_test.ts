import { assertEquals, assertRejects } from "@std/assert";
import { inFolder } from "../fixtures/drawn_run.ts";
import {
  addCheckpoint,
  checkpointPath,
  findCheckpoint,
  makeCheckpointFolder,
} from "./checkpoint_folder.ts";

/** What is in them is no matter here. */
async function writeEmpty(run: string, step: number): Promise<void> {
  await makeCheckpointFolder(run);
  await Deno.writeTextFile(checkpointPath(run, step), "");
}

const best = (step: number) => ({ epoch: 1, step, top1Error: 0.5 });

Deno.test("addCheckpoint() keeps the latest and the best, and removes the rest", async () => {
  await inFolder(async (path) => {
    const run = path("run");
    await Deno.mkdir(run);
    assertEquals(await findCheckpoint(run, "latest"), null);
    for (const step of [10, 20, 30, 40]) {
      await writeEmpty(run, step);
      await Deno.writeTextFile(path("run/checkpoints/.step-1.left.tmp"), "half");
      await addCheckpoint(run, { step, best: best(10) }, 2);
    }
    const names = [...Deno.readDirSync(path("run/checkpoints"))].map(({ name }) => name).sort();
    assertEquals(names, ["step-00000010", "step-00000030", "step-00000040"]);
    assertEquals(await findCheckpoint(run, "latest"), checkpointPath(run, 40));
    assertEquals(await findCheckpoint(run, "best"), checkpointPath(run, 10));
    assertEquals(await findCheckpoint(run, "previous"), checkpointPath(run, 30));
    assertEquals(await findCheckpoint(run, "elsewhere"), "elsewhere");
  });
});

Deno.test("addCheckpoint() after going back forgets the later ones", async () => {
  await inFolder(async (path) => {
    const run = path("run");
    await Deno.mkdir(run);
    for (const step of [10, 20, 15]) {
      await writeEmpty(run, step);
      await addCheckpoint(run, { step, best: null }, 2);
    }
    assertEquals(await findCheckpoint(run, "latest"), checkpointPath(run, 15));
    assertEquals(await findCheckpoint(run, "previous"), checkpointPath(run, 10));
    await addCheckpoint(run, { step: 15, best: best(15) }, 1);
    assertEquals(await findCheckpoint(run, "best"), checkpointPath(run, 15));
    await assertRejects(() => findCheckpoint(run, "previous"), Error, "it has one alone");
  });
});
