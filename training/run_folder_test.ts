import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { makeConfig } from "./config.ts";
import {
  appendMetrics,
  createRunFolder,
  readEvaluation,
  readRun,
  requireNoRun,
  type Run,
  type RunEvaluation,
  writeEvaluation,
} from "./run_folder.ts";

const RUN: Run = {
  codeVersion: "0.1.0",
  startedAt: "2026-01-02T03:04:05.678Z",
  config: makeConfig("lenet5", { learningRate: 0.1 + 0.2 }),
  classes: ["cat", "dog, small", "größer"],
  mean: [33.31842145],
  std: [78.567489],
  adapter: "llvmpipe",
  tiles: { "Conv forward 3x9x9": "strip 8 24" },
  data: { fingerprint: "ab12", images: { train: 10, validation: 2, test: 0, broken: 1 } },
};

const EVALUATION: RunEvaluation = {
  split: "test",
  step: 600,
  images: 500,
  loss: 0.1234,
  top1Error: 0.02,
  top5Error: 0,
  dataFingerprint: "ab12",
};

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const parent = await Deno.makeTempDir();
  try {
    await body(join(parent, "runs", "first"));
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}

Deno.test("createRunFolder() makes the folders above, readRun() gives the run back", async () => {
  await inFolder(async (folder) => {
    await requireNoRun(folder);
    await createRunFolder(folder, RUN);
    assertEquals(await readRun(folder), RUN);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["run.json"]);
  });
});

Deno.test("createRunFolder() takes a folder with other files, never one with a run", async () => {
  await inFolder(async (folder) => {
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(join(folder, "notes.txt"), "mine");
    await createRunFolder(folder, RUN);
    const again = { ...RUN, codeVersion: "0.2.0" };
    await assertRejects(() => createRunFolder(folder, again), Error, "it holds a run");
    await assertRejects(() => requireNoRun(folder), Error, "(name another with --out)");
    assertEquals(await readRun(folder), RUN);
    assertEquals(await Deno.readTextFile(join(folder, "notes.txt")), "mine");
  });
});

Deno.test("createRunFolder() says why the folder cannot be made", async () => {
  await inFolder(async (folder) => {
    await createRunFolder(folder, RUN);
    const inside = join(folder, "run.json", "second");
    await assertRejects(
      () => createRunFolder(inside, RUN),
      Error,
      `Cannot train into ${inside}: the folder cannot be made (`,
    );
  });
});

Deno.test("readRun() takes a run of before there were today's settings for what it did", async () => {
  await inFolder(async (folder) => {
    await createRunFolder(folder, RUN);
    // Those of the first version.
    const first = ["model", "epochs", "batchSize", "learningRate", "schedule", "warmupSteps"];
    const names = [...first, "momentum", "decay", "randomCrop", "flip", "side", "seed"];
    const config = Object.fromEntries(
      Object.entries(RUN.config).filter(([name]) => names.includes(name)),
    );
    await Deno.writeTextFile(join(folder, "run.json"), JSON.stringify({ ...RUN, config }));
    assertEquals(await readRun(folder), RUN);
    const { seed: _, ...damaged } = config;
    await Deno.writeTextFile(join(folder, "run.json"), JSON.stringify({ ...RUN, config: damaged }));
    await assertRejects(() => readRun(folder), SyntaxError, "config.seed");
  });
});

Deno.test("readRun() tells a missing run from a damaged one", async () => {
  await inFolder(async (folder) => {
    const missing = await assertRejects(() => readRun(folder), Error, "no run.json in it");
    assert(!(missing instanceof SyntaxError));
    await createRunFolder(folder, RUN);
    const path = join(folder, "run.json");
    const text = await Deno.readTextFile(path);
    const damaged: [string, string][] = [
      [text.slice(0, text.length / 2), "Cannot read "],
      ["", "Cannot read "],
      [text.replace('"epochs": ', '"epochs": "many", "x": '), "config.epochs: expected a whole"],
      [text.replace('"classes": [', '"classes": [], "x": ['), "classes: "],
      [text.replace('"std": [', '"std": [0, '), "std.0: "],
    ];
    for (const [content, message] of damaged) {
      await Deno.writeTextFile(path, content);
      const error = await assertRejects(() => readRun(folder), SyntaxError, message);
      assert(error.message.includes(path), error.message);
    }
  });
});

Deno.test("appendMetrics() adds a line of JSON an epoch", async () => {
  await inFolder(async (folder) => {
    await createRunFolder(folder, RUN);
    const record = {
      epoch: 1,
      step: 5,
      learningRate: 0.01,
      trainingLoss: 2.3,
      trainingError: 0.9,
      imagesPerSecond: 100,
      validation: { images: 10, loss: 2.2, top1Error: 0.8, top5Error: 0.4 },
    };
    await appendMetrics(folder, record);
    await appendMetrics(folder, { ...record, epoch: 2, step: 10 });
    const lines = (await Deno.readTextFile(join(folder, "metrics.jsonl"))).split("\n");
    assertEquals(lines.length, 3);
    assertEquals(JSON.parse(lines[0]!), record);
    assertEquals(JSON.parse(lines[1]!).step, 10);
  });
});

Deno.test("readEvaluation() gives the last one, null before, and refuses a damaged one", async () => {
  await inFolder(async (folder) => {
    await createRunFolder(folder, RUN);
    assertEquals(await readEvaluation(folder), null);
    await writeEvaluation(folder, { ...EVALUATION, split: "validation" });
    await writeEvaluation(folder, EVALUATION);
    assertEquals(await readEvaluation(folder), EVALUATION);
    await Deno.writeTextFile(join(folder, "evaluation.json"), '{ "split": "test" }');
    await assertRejects(() => readEvaluation(folder), SyntaxError, "evaluation.json: step: ");
  });
});
