import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { publishModel } from "../../shared/model_registry.ts";
import { openStore } from "../../shared/object_store/open_store.ts";
import { coloursStore, emptyStore, publishColours } from "../fixtures/colours_store.ts";
import { coloursManifest, coloursProbabilities, fixture } from "../fixtures/colours.ts";
import { hostOf } from "../fixtures/started_app.ts";
import { swapUnderLoad } from "../fixtures/swap_under_load.ts";
import { ProblemError } from "../problem.ts";

const SELF_TESTED = {
  selfTest: {
    image: (await fixture("red.png")).toBase64(),
    top: [{ index: 0, probability: 0.8 }],
    tolerance: 0.2,
  },
};

function names({ list }: { list(): { name: string; current: string | undefined }[] }): string[] {
  return list().map(({ name, current }) => `${name} ${current}`);
}

/** Changes the one blob of a store. */
async function alterWeights(
  folder: string,
  change: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array,
) {
  const blobs = `${folder}/blobs/sha256`;
  const [blob] = [...Deno.readDirSync(blobs)];
  const path = `${blobs}/${blob!.name}`;
  await Deno.writeFile(path, change(await Deno.readFile(path)));
}

Deno.test("ModelHost loads every model's live version, and logs each stage", async () => {
  await using store = await coloursStore(SELF_TESTED);
  await publishColours(store.folder, { version: "v2" });
  await publishColours(store.folder, { name: "paints" });
  await using hosted = hostOf(store.folder);
  const { host } = hosted;
  assertEquals((await host.start()).manifest.version, "v2");
  assertEquals(names({ list: () => host.list() }), ["colours v2", "paints v1"]);
  const { probabilities } = await host.find("paints").run(new Float32Array(3 * 16 * 16));
  assertEquals(probabilities.length, 4);
  const loaded = hosted.lines.map((line) => JSON.parse(line)).filter(({ event }) =>
    event === "loaded"
  );
  for (const line of loaded) {
    for (const stage of ["manifest_ms", "session_ms", "warmup_ms"]) {
      assert(Number.isInteger(line[stage]), stage);
    }
  }
  assertThrows(() => host.find("pets"), ProblemError, "no model pets is loaded (loaded: colours");
  assertThrows(() => host.find("colours", "v9"), ProblemError, "no version v9 of colours");
});

Deno.test("ModelHost says what the store has when it cannot find the model", async () => {
  await using store = await emptyStore();
  const missing = async (options: { models?: string; version?: string }, message: string) => {
    await using hosted = hostOf(store.folder, options);
    await assertRejects(() => hosted.host.start(), RangeError, message);
  };
  await missing({}, `Cannot find a model in ${store.folder} (nothing is published there: run`);
  await missing({ models: "pets" }, `Cannot find the model pets in ${store.folder} (nothing is`);
  await publishColours(store.folder);
  await missing({ models: "pets" }, "(published there: colours)");
  await missing({ version: "v7" }, `Cannot find version v7 of colours in ${store.folder}`);
});

Deno.test("ModelHost follows a pointer that moved, and keeps requests on the version they began with", async () => {
  await using store = await coloursStore();
  await using hosted = hostOf(store.folder);
  const { host } = hosted;
  const before = await host.start();
  await host.poll();
  assertEquals(host.find(), before);
  await publishColours(store.folder, { version: "v2" });
  const release = Promise.withResolvers<void>();
  const late = before.using(async () => {
    await release.promise;
    return await before.run(new Float32Array(3 * 16 * 16));
  });
  await host.poll();
  assertEquals(host.find().manifest.version, "v2");
  assert(before.alive, "a request still uses it");
  release.resolve();
  assertEquals((await late).probabilities.length, 4);
  assert(!before.alive, "nobody uses it any more");
  assertEquals(host.states().map(({ version, state }) => [version, state]), [["v2", "READY"]]);
});

Deno.test("ModelHost refuses a broken version, says why, and goes on with the last good one", async () => {
  const wrongAnswer = {
    selfTest: { ...SELF_TESTED.selfTest, top: [{ index: 1, probability: 0.8 }] },
  };
  const breaks: [Parameters<typeof publishColours>[1], string][] = [
    [wrongAnswer, "its self-test gives green"],
    [{ input: { name: "data", shape: [-1, 3, 16, 16] } }, "does not fit its manifest"],
  ];
  for (const [changes, message] of breaks) {
    await using store = await coloursStore();
    await using hosted = hostOf(store.folder);
    const { host } = hosted;
    await host.start();
    await publishColours(store.folder, { version: "v2", ...changes });
    await host.poll();
    assertEquals(host.find().manifest.version, "v1");
    const refused = host.states().find(({ version }) => version === "v2")!;
    assertEquals(refused.state, "UNAVAILABLE");
    assertStringIncludes(refused.reason, message);
    const tries = hosted.lines.length;
    await host.poll();
    assertEquals(hosted.lines.length, tries, "a refused version was tried again");
    await publishColours(store.folder, { version: "v3" });
    await host.poll();
    assertEquals(host.find().manifest.version, "v3");
  }
});

Deno.test("ModelHost refuses weights that were changed, cut, or are too large", async () => {
  const changes: ((bytes: Uint8Array<ArrayBuffer>) => Uint8Array)[] = [
    (bytes) => bytes.with(100, bytes[100]! ^ 1),
    (bytes) => bytes.subarray(0, 200),
  ];
  for (const change of changes) {
    await using store = await coloursStore();
    await alterWeights(store.folder, change);
    await using hosted = hostOf(store.folder);
    await assertRejects(() => hosted.host.start(), Error, "Cannot read weights of colours v1");
  }
  await using store = await coloursStore();
  await using hosted = hostOf(store.folder, { maxModelBytes: 100 });
  await assertRejects(() => hosted.host.start(), RangeError, "over the limit of 100 (--max-model)");
});

Deno.test("ModelHost loads and unloads versions by name beside the current one", async () => {
  await using store = await coloursStore();
  await publishColours(store.folder, { version: "v2" });
  await using hosted = hostOf(store.folder);
  const { host } = hosted;
  await host.start();
  await host.load("colours", "v1");
  assertEquals(host.find().manifest.version, "v2");
  assertEquals(host.find("colours", "v1").manifest.version, "v1");
  host.unload("colours", "v1");
  assertThrows(() => host.find("colours", "v1"), ProblemError, "no version v1");
  host.unload("colours");
  assertThrows(() => host.find(), ProblemError, "being loaded");
  await host.load("colours");
  assertEquals(host.find().manifest.version, "v2");
});

Deno.test("ModelHost serves the variant that fits its memory, with the variant's own self-test", async () => {
  await using store = await emptyStore();
  const image = (await fixture("red.png")).toBase64();
  const selfTest = { image, top: [{ index: 0, probability: 0.5 }], tolerance: 0.02 };
  const [probability] = coloursProbabilities["red.png"]!;
  const weights = await fixture("colours.onnx");
  // The same network in other bytes; the original's self-test would not pass.
  const longer = new Uint8Array([...weights, 0x3a, 0x00]);
  await publishModel(
    openStore(store.folder),
    {
      weights,
      manifest: {
        ...coloursManifest(),
        selfTest,
        cost: { runtime: "x", peakMemory: 900e6, firstAnswerMs: 1, inferenceMs: 1 },
      },
      variants: [{
        weights: longer,
        description: {
          name: "small",
          selfTestTop: [{ index: 0, probability: probability! }],
          cost: { runtime: "x", peakMemory: 100e6, firstAnswerMs: 1, inferenceMs: 1 },
        },
      }],
    },
    { by: "a test", reason: "it needs variants" },
  );
  await using small = hostOf(store.folder, { memory: 256e6 });
  const model = await small.host.start();
  assertEquals([model.variant, model.manifest.weights.byteLength], ["small", longer.length]);
  await using large = hostOf(store.folder, { variant: "original" });
  await assertRejects(() => large.host.start(), RangeError, "its self-test gives");
});

Deno.test("ModelHost swaps versions under load without one failed or mixed answer", async () => {
  assert(await swapUnderLoad(3) > 10);
});
