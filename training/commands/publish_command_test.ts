import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readPointed } from "../../shared/model_registry.ts";
import { readWeights } from "../../shared/registry/weights.ts";
import type { ObjectStore } from "../../shared/object_store/object_store.ts";
import { openStore } from "../../shared/object_store/open_store.ts";
import { readPointer } from "../../shared/registry/pointer.ts";
import { EvaluationDetailsSchema } from "../evaluation/evaluation_details.ts";
import { captured } from "../fixtures/captured.ts";
import { inFolder, writeCheckpoint, writeRun } from "../fixtures/drawn_run.ts";
import { decodeOnnx } from "../../shared/onnx/read.ts";
import { readRun, writeEvaluation } from "../run_folder.ts";
import { publishCommand } from "./publish_command.ts";

const run = (...args: string[]) => captured(() => publishCommand(args));

async function measure(folder: string, step: number): Promise<void> {
  await writeEvaluation(folder, {
    split: "test",
    step,
    images: 10,
    loss: 2.3,
    top1Error: 0.875,
    top5Error: 0.5,
    dataFingerprint: "0123456789",
  });
}

async function readLatest(store: ObjectStore) {
  const pointer = await readPointer(store, "shapes", "latest");
  return pointer && await readPointed(store, "shapes", pointer);
}

Deno.test("publishCommand() --help says what moves last", async () => {
  const { code, stdout } = await run("-h");
  assertEquals(code, 0);
  assertStringIncludes(stdout, 'the alias "latest" moves last');
});

Deno.test("publishCommand() answers wrong arguments with 2 and the reason", async () => {
  const place = ["run", "--store", "store"];
  const cases: [string[], string][] = [
    [[], "expected one run folder, --store STORE and --name NAME"],
    [place, "expected one run folder, --store STORE and --name NAME"],
    [["run", "--name", "x"], "expected one run folder, --store STORE and --name NAME"],
    [["run", "b", "--store", "s", "--name", "x"], "expected one run folder"],
    [[...place, "--name", "../x"], 'Cannot use "../x" as model name'],
    [[...place, "--name", "x", "--version", "a/b"], 'Cannot use "a/b" as model version'],
    [[...place, "--nmae", "x"], "unknown option --nmae (did you mean --name?)"],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await run(...args);
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, message);
    assertStringIncludes(stderr, "Try: topfive publish --help");
  }
});

Deno.test("publishCommand() publishes the weights with all that a service must know", async () => {
  await inFolder(async (path) => {
    await writeRun(path("run"));
    await measure(path("run"), 4);
    const args = [path("run"), "--store", path("store"), "--name", "shapes"];
    const { code, stdout } = await run(...args, "--version", "v1", "--json");
    assertEquals(code, 0);
    const store = openStore(path("store"));
    const manifest = await readLatest(store);
    assertEquals(manifest, JSON.parse(stdout));
    const { config, classes } = await readRun(path("run"));
    assertEquals(manifest!.version, "v1");
    assertEquals(manifest!.labels, classes);
    assertEquals(manifest!.input, { name: "input", shape: [-1, 1, 28, 28] });
    assertEquals(manifest!.output, { name: "probabilities", classes: 10 });
    assertEquals(manifest!.preprocess, { side: 28, crop: 28, channels: 1, mean: [120], std: [60] });
    assertEquals(manifest!.metrics, {
      split: "test",
      images: 10,
      loss: 2.3,
      top1Error: 0.875,
      top5Error: 0.5,
    });
    assertEquals(manifest!.provenance.config, config);
    const onnx = decodeOnnx(await readWeights(store, manifest!));
    assertEquals(onnx.graphName, "lenet5");

    const second = await run(...args);
    assertMatch(
      second.stdout,
      /^published shapes \d{8}-\d{6}-01234567: 0\.2 MB, top-1 error 87\.50 % on 10 images$/,
    );
    assert((await readLatest(store))!.version !== "v1", "latest did not move");

    const taken = await run(...args, "--version", "v1");
    assertEquals(taken.code, 1);
    assertStringIncludes(taken.stderr, "v1: the version exists already with other content");
  });
});

Deno.test("publishCommand() refuses a run that was not measured, or measured before its end", async () => {
  await inFolder(async (path) => {
    await writeRun(path("run"));
    const args = [path("run"), "--store", path("store"), "--name", "shapes"];
    const advice = `(run: ./topfive evaluate ${path("run")} --data DIR)`;
    const early = await run(...args);
    assertEquals(early.code, 1);
    assertEquals(
      early.stderr,
      `topfive: Cannot publish ${path("run")}: it was not measured ${advice}`,
    );
    await measure(path("run"), 4);
    await writeCheckpoint(path("run"), "lenet5", 10, 8);
    const stale = await run(...args);
    assertEquals(stale.code, 1);
    assertStringIncludes(stale.stderr, `measured at step 4 and trained on to step 8 ${advice}`);
    assert(!(await Deno.stat(path("store")).then(() => true, () => false)), "something was stored");
  });
});

Deno.test("publishCommand() refuses a store of a kind that there is not", async () => {
  await inFolder(async (path) => {
    await writeRun(path("run"));
    await measure(path("run"), 4);
    const { code, stderr } = await run(path("run"), "--store", "ftp://host/x", "--name", "shapes");
    assertEquals(code, 1);
    assertStringIncludes(stderr, "ftp:// is not supported");
  });
});

Deno.test("publishCommand() carries the card, intervals, classes and confusions", async () => {
  await inFolder(async (path) => {
    await writeRun(path("run"));
    await measure(path("run"), 4);
    const { classes } = await readRun(path("run"));
    const details = EvaluationDetailsSchema.parse({
      ...{ split: "test", views: 1, models: ["run"], images: 10, loss: 2.3, calibrationError: 0.1 },
      ...{ top1Error: 0.875, top1Interval: [0.5, 0.97], top5Error: 0.5, top5Interval: [0.2, 0.8] },
      ...{ calibration: [], worst: [], confusion: [[0, 0, 1], [0, 3, 2], [1, 0, 7]] },
      classes: classes.map((name, i) => ({
        ...{ name, images: i < 2 ? 8 : 0, predicted: 1, top1Error: i < 2 ? 0.875 : null },
        ...{ top5Error: null, precision: null },
      })),
    });
    await Deno.writeTextFile(path("run/evaluation-details.json"), JSON.stringify(details));
    const card = { intendedUse: "Telling drawings apart.", weaknesses: ["Stars that are gears."] };
    await Deno.writeTextFile(path("card.json"), JSON.stringify(card));
    const args = [path("run"), "--store", path("store"), "--name", "shapes"];
    const { code, stderr } = await run(...args, "--card", path("card.json"));
    assertEquals(code, 0, stderr);
    const manifest = (await readLatest(openStore(path("store"))))!;
    assertEquals(manifest.card, card);
    assertEquals(manifest.metrics?.top1Interval, [0.5, 0.97]);
    assertEquals(manifest.metrics?.classes?.length, classes.length);
    assertEquals(manifest.metrics?.classes?.[2], null);
    assertEquals(manifest.metrics?.confusions, [
      { label: classes[1], answer: classes[0], images: 7 },
      { label: classes[0], answer: classes[3], images: 2 },
    ]);
    assertEquals(manifest.provenance.images, { train: 40, validation: 10, test: 10 });

    await Deno.writeTextFile(path("card.json"), '{"intendedUs": ""}');
    const wrong = await run(...args, "--card", path("card.json"));
    assertEquals(wrong.code, 1);
    assertStringIncludes(wrong.stderr, "intendedUs");
  });
});
