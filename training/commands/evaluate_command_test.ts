import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { decodeImage } from "../../shared/image/decode.ts";
import { readEvaluationDetails } from "../evaluation/evaluation_details.ts";
import { captured } from "../fixtures/captured.ts";
import { drawImages, inFolder, writeCheckpoint, writeRun } from "../fixtures/drawn_run.ts";
import { checkpointPath } from "../checkpoint/checkpoint_folder.ts";
import { readEvaluation } from "../run_folder.ts";
import { everything } from "../onnx/example_model.ts";
import { encodeOnnx } from "../onnx/write.ts";
import { exportCommand } from "./export_command.ts";
import { evaluateCommand } from "./evaluate_command.ts";

const run = (...args: string[]) => captured(() => evaluateCommand(args));

Deno.test("evaluateCommand() --help says what it needs", async () => {
  const { code, stdout } = await run("--help");
  assertEquals(code, 0);
  assertStringIncludes(stdout, "Usage: topfive evaluate MODEL… --data DIR");
});

Deno.test("evaluateCommand() answers wrong arguments with 2 and the reason", async () => {
  const cases: [string[], string][] = [
    [[], "expected one model or several, and --data DIR"],
    [["run"], "expected one model or several, and --data DIR"],
    [["--data", "x"], "expected one model or several, and --data DIR"],
    [["run", "--data", "x", "--views", "5"], "--views is 5 (expected 1, 9, 10)"],
    [
      ["run", "--data", "x", "--predictions", "out.txt"],
      "--predictions is out.txt (expected a name that ends in .csv or .jsonl)",
    ],
    [
      ["run", "--data", "x", "--split", "tset"],
      "--split is tset (expected train, validation, test, all)",
    ],
    [["a.onnx", "--data", "x", "--labels", "l"], "--labels and --preprocess go together"],
    [
      ["run", "--data", "x", "--labels", "l", "--preprocess", "caffe"],
      "--labels and --preprocess are of ONNX files, and none is named",
    ],
    [["--data", "x", "--store", "s"], "--store and --name go together"],
    [["run", "--dat", "x"], "unknown option --dat (did you mean --data?)"],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await run(...args);
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, message);
    assertStringIncludes(stderr, "Try: topfive evaluate --help");
  }
});

Deno.test("evaluateCommand() measures each split and keeps the last measurement", async () => {
  await inFolder(async (path) => {
    await drawImages(path("images"));
    await writeRun(path("run"), { step: 12 });
    const counts = { train: 40, validation: 10, test: 10 };
    for (const [split, images] of Object.entries(counts)) {
      const { code, stdout } = await run(
        ...[path("run"), "--data", path("images"), "--split", split, "--json"],
      );
      assertEquals(code, 0);
      const result = JSON.parse(stdout);
      assertEquals([result.split, result.images, result.step], [split, images, 12]);
      assert(result.loss > 0 && result.top1Error >= result.top5Error, stdout);
      const kept = await readEvaluation(path("run"));
      assertEquals({ ...result, ...kept }, result);
      const { details, mistakes } = (await readEvaluationDetails(path("run")))!;
      assertEquals({ ...result, ...details }, result);
      assertEquals(details.confusion.reduce((sum, [, , count]) => sum + count, 0), images);
      const { width, height } = await decodeImage(mistakes!);
      assertEquals([width, height], [28 * details.worst.length, 28]);
    }
    const { stdout } = await run(path("run"), "--data", path("images"));
    assertMatch(
      stdout,
      /^test: 10 images in [\d.]+ s\n {2}top-1 error \d+\.00 % {3}[\d.]+ to [\d.]+ % at 95 %\n {2}top-5/,
    );
    assertMatch(stdout, /\n {2}test\/\w+\/\d+\.png: \w+ taken for \w+, /);
  });
});

Deno.test("evaluateCommand() averages several models, an ONNX file among them", async () => {
  await inFolder(async (path) => {
    await drawImages(path("images"));
    await writeRun(path("a"));
    await writeRun(path("b"), { seed: 2 });
    assertEquals(
      (await captured(() => exportCommand([path("b"), "--onnx", path("b.onnx")]))).code,
      0,
    );
    const answers = async (...models: string[]) => {
      const file = path("answers.jsonl");
      const { code, stderr } = await run(
        ...[...models, "--data", path("images"), "--predictions", file, "--json"],
      );
      assertEquals(code, 0, stderr);
      const lines = (await Deno.readTextFile(file)).trimEnd().split("\n");
      return lines.map((line) => JSON.parse(line).labelProbability as number);
    };
    const [a, b, onnx] = [
      await answers(path("a")),
      await answers(path("b")),
      await answers(path("b.onnx")),
    ];
    const before = await readEvaluation(path("a"));
    const together = await answers(path("a"), path("b.onnx"));
    assertEquals(together.length, 10);
    together.forEach((probability, i) => {
      assertAlmostEquals(onnx[i]!, b[i]!, 1e-5);
      assertAlmostEquals(probability, (a[i]! + b[i]!) / 2, 1e-5);
    });
    assert(a.some((probability, i) => Math.abs(probability - b[i]!) > 1e-3));
    assertEquals(
      await readEvaluation(path("a")),
      before,
      "an ensemble is no run's own measurement",
    );
  });
});

Deno.test("evaluateCommand() asks for a margin where it has none to look into", async () => {
  await inFolder(async (path) => {
    await drawImages(path("images"));
    await writeRun(path("run"));
    const { code, stderr } = await run(path("run"), "--data", path("images"), "--views", "10");
    assertEquals(code, 1);
    assertStringIncludes(
      stderr,
      "Cannot look at 10 views: records of 28 pixels have one crop of 28",
    );
  });
});

Deno.test("evaluateCommand() refuses an ONNX file that does not say how it is fed", async () => {
  await inFolder(async (path) => {
    await drawImages(path("images"));
    await Deno.writeFile(path("foreign.onnx"), encodeOnnx(everything()));
    const { code, stderr } = await run(path("foreign.onnx"), "--data", path("images"));
    assertEquals(code, 1);
    assertStringIncludes(stderr, "its metadata does not say how images are fed to it");
  });
});

Deno.test("evaluateCommand() takes the validation images where there are no others", async () => {
  await inFolder(async (path) => {
    await drawImages(path("images"));
    await Deno.remove(path("images/test"), { recursive: true });
    await writeRun(path("run"));
    const { code, stdout } = await run(path("run"), "--data", path("images"), "--json");
    assertEquals([code, JSON.parse(stdout).split], [0, "validation"]);
    const asked = await run(path("run"), "--data", path("images"), "--split", "test");
    assertEquals(asked.code, 1);
    assertStringIncludes(
      asked.stderr,
      "has no test images of its own (try --split validation, or all)",
    );
  });
});

Deno.test("evaluateCommand() refuses other classes, a missing run and a missing checkpoint", async () => {
  await inFolder(async (path) => {
    await drawImages(path("images"));
    await writeRun(path("two"), { classes: ["cat", "dog"] });
    await writeRun(path("early"), { step: null });
    await writeRun(path("mixed"), { step: null });
    await writeCheckpoint(path("mixed"), "alexnet-small", 10, 1);
    const cases: [string, string][] = [
      [path("two"), `those of ${path("two")} are cat, dog`],
      [path("early"), "it has no checkpoint (no epoch was finished)"],
      [path("mixed"), "its checkpoint is of alexnet-small, not lenet5"],
      [path("nothing"), "no run.json in it (train one: ./topfive train --out"],
    ];
    for (const [folder, message] of cases) {
      const { code, stderr } = await run(folder, "--data", path("images"));
      assertEquals(code, 1, stderr);
      assertStringIncludes(stderr, message);
      assertEquals(await readEvaluation(folder), null);
    }
  });
});

Deno.test("evaluateCommand() takes a damaged checkpoint for no fault of the arguments", async () => {
  await inFolder(async (path) => {
    await drawImages(path("images"));
    await writeRun(path("run"));
    const file = checkpointPath(path("run"), 4);
    await Deno.truncate(file, 1000);
    const { code, stderr } = await run(path("run"), "--data", path("images"));
    assertEquals(code, 1);
    assertEquals(stderr, `topfive: Cannot read checkpoint ${file}: it was truncated or altered`);
  });
});
