import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { preprocess } from "../../shared/image/preprocess.ts";
import { readManifest } from "../../shared/model_registry.ts";
import { openStore } from "../../shared/object_store/open_store.ts";
import { coloursManifest, coloursProbabilities, fixture } from "../fixtures/colours.ts";
import { coloursStore } from "../fixtures/colours_store.ts";
import { WorkerEndedError } from "../workers/task_worker.ts";
import { type RunOptions, ServedModel } from "./served_model.ts";

const input = await preprocess(await fixture("red.png"), coloursManifest().preprocess);
const OPTIONS: Omit<RunOptions, "source"> = {
  runtime: "auto",
  threads: 1,
  maxBatch: 1,
  maxDelayMs: 0,
  runMs: 10_000,
};

async function loaded(
  folder: string,
  options: Partial<RunOptions> = {},
): Promise<ServedModel> {
  const store = openStore(folder);
  const manifest = await readManifest(store, "colours", "v1");
  return await ServedModel.load({ name: "original", manifest: manifest! }, {
    ...OPTIONS,
    source: { address: folder },
    ...options,
  });
}

Deno.test("ServedModel answers, and no more once it is retired", async () => {
  await using store = await coloursStore();
  const model = await loaded(store.folder);
  const expected = coloursProbabilities["red.png"]!;
  const runs = await Promise.all(Array.from({ length: 6 }, () => model.run(input)));
  for (const { probabilities } of runs) {
    probabilities.forEach((value, index) => assertAlmostEquals(value, expected[index]!, 1e-5));
  }
  model.retire();
  assertEquals(model.alive, false);
  await model.restart();
  assertEquals(model.alive, false, "a retired model starts no worker");
});

Deno.test("ServedModel replaces a worker that takes too long", async () => {
  await using store = await coloursStore();
  const model = await loaded(store.folder, { runMs: 1, maxBatch: 20_000 });
  const runs = Array.from({ length: 20_000 }, () => model.run(input));
  const results = await Promise.allSettled(runs);
  for (const result of results) {
    assert(result.status === "rejected" && result.reason instanceof WorkerEndedError);
  }
  await model.restart();
  assert(model.alive);
  model.retire();
});

Deno.test("ServedModel reads weights again that were altered in the cache", async () => {
  await using store = await coloursStore();
  const folder = await Deno.makeTempDir();
  try {
    const source = { address: store.folder, cache: { folder, maxBytes: 1e6, json: false } };
    const first = await loaded(store.folder, { source });
    const cached = join(folder, first.manifest.weights.key);
    const right = await Deno.readFile(cached);
    await Deno.writeFile(cached, right.toReversed());
    const second = await loaded(store.folder, { source });
    assertEquals(await Deno.readFile(cached), right);
    const { probabilities } = await second.run(input);
    assertAlmostEquals(probabilities[0]!, coloursProbabilities["red.png"]![0]!, 1e-4);
    for (const model of [first, second]) model.retire();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
