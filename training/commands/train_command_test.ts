import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { readCheckpoint } from "../checkpoint/checkpoint.ts";
import { findCheckpoint } from "../checkpoint/checkpoint_folder.ts";
import { encodePng } from "../dataset/shapes/png.ts";
import { captured } from "../fixtures/captured.ts";
import { drawImages, inFolder, writeRun } from "../fixtures/drawn_run.ts";
import { initialValues, layOutParameters } from "../graph/parameters.ts";
import { MODEL_NAMES, MODELS } from "../models/models.ts";
import { readRun } from "../run_folder.ts";
import { trainCommand } from "./train_command.ts";

const run = (...args: string[]) => captured(() => trainCommand(args));

/** All that must be given, with a folder that is not there. */
const PLACE = ["--model", "lenet5", "--data", "/nowhere", "--out", "/nowhere/run"];

Deno.test("trainCommand() --help shows every setting with the asked model's defaults", async () => {
  for (const model of MODEL_NAMES) {
    for (const args of [["--model", model, "--help"], ["-h", "--model", model]]) {
      const { code, stdout } = await run(...args);
      assertEquals(code, 0);
      assertStringIncludes(stdout, `Settings (defaults of ${model};`);
      assertMatch(stdout, /--batch-size X +images a step.* \(\d+\)/);
      assertMatch(stdout, /--\[no-\]flip +.*\((true|false)\)/);
    }
  }
  assertStringIncludes((await run("--help")).stdout, "Settings (defaults of alexnet-small;");
});

Deno.test("trainCommand() answers wrong arguments with 2 and the reason, before any work", async () => {
  const cases: [string[], string][] = [
    [[], "Cannot train: --model is missing"],
    [["--model", "lenet5"], "Cannot train: --data is missing"],
    [["--model", "lenet5", "--data", "x"], "Cannot train: --out is missing"],
    [[...PLACE, "images"], "Cannot train: images belongs to no option"],
    [[...PLACE, "--lerning-rate", "1"], "--lerning-rate (did you mean --learning-rate?)"],
    [[...PLACE, "--batchsize", "1"], "--batchsize (did you mean --batch-size?)"],
    [[...PLACE, "--batch-size", "0"], "--batch-size is 0 (expected a whole number, at least 1)"],
    [[...PLACE, "--batch-size", "-4"], "--batch-size is -4 (expected a whole number, at least 1)"],
    [[...PLACE, "--epochs", "x"], "--epochs is x (expected a whole number, at least 1)"],
    [[...PLACE, "--learning-rate", "-0.1"], "--learning-rate is -0.1 (expected a number above 0)"],
    [
      [...PLACE, "--schedule", "slow"],
      "--schedule is slow (expected constant, cosine, step, plateau)",
    ],
    [[...PLACE, "--flip=maybe"], "--flip takes no value (maybe)"],
    [[...PLACE, "--epochs"], "--epochs has no value"],
    [[...PLACE, "--side", "20"], "--side is 20, smaller than the 28 pixels that lenet5 sees"],
    [["--model", "resnet", ...PLACE.slice(2)], 'Cannot train "resnet": no such model'],
    [["--model", "resnet", "--help"], 'Cannot train "resnet": no such model'],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await run(...args);
    assertEquals([code, stdout], [2, ""], stderr);
    assertStringIncludes(stderr, message);
    assert(stderr.endsWith("\nTry: topfive train --help"), stderr);
  }
});

Deno.test("trainCommand() --config refuses a file that is wrong with the reason", async () => {
  const cases: [string, string][] = [
    ["{", "it is no JSON ("],
    ["[]", "it holds no object of settings"],
    ['{"epohcs": 3}', '"epohcs" is no setting (did you mean epochs?)'],
    ['{"config": {"momentun": 0}}', '"momentun" is no setting (did you mean momentum?)'],
    ['{"colour": "red"}', '"colour" is no setting (expected model, epochs, '],
    ['{"epochs": "many"}', "--epochs is many (expected a whole number, at least 1)"],
    ['{"layers": {"fc3": 1}}', "layers.fc3 is 1 (Invalid input: expected object"],
    ['{"model": "resnet"}', ""],
  ];
  await inFolder(async (path) => {
    for (const [text, message] of cases) {
      await Deno.writeTextFile(path("c.json"), text);
      const { code, stderr } = await run(...PLACE, "--config", path("c.json"));
      // The model that the flag names counts: then the folder is not there.
      assertEquals(code, message === "" ? 1 : 2, stderr);
      assertStringIncludes(stderr, message);
    }
    const { code, stderr } = await run(...PLACE, "--config", path("none.json"));
    assertEquals(code, 2);
    assertStringIncludes(stderr, "none.json: ");
  });
});

Deno.test("trainCommand() refuses a folder with a run before it looks at the data", async () => {
  await inFolder(async (path) => {
    await writeRun(path("run"));
    const { code, stderr } = await run(
      "--model",
      "lenet5",
      "--data",
      "/nowhere",
      "--out",
      path("run"),
    );
    assertEquals(code, 1);
    assertEquals(
      stderr,
      `topfive: Cannot train into ${path("run")}: it holds a run (name another with --out)`,
    );
  });
});

Deno.test("trainCommand() refuses data it cannot learn from, and leaves no run", async () => {
  await inFolder(async (path) => {
    await drawImages(path("images"));
    await Deno.mkdir(path("one/train/cat"), { recursive: true });
    await Deno.copyFile(path("images/train/ball/000000.png"), path("one/train/cat/1.png"));
    await Deno.mkdir(path("empty"));
    await Deno.mkdir(path("text/train/cat"), { recursive: true });
    await Deno.mkdir(path("text/train/dog"), { recursive: true });
    await Deno.writeTextFile(path("text/train/cat/1.txt"), "a cat");
    await Deno.writeTextFile(path("text/train/dog/1.txt"), "a dog");
    const cases: [string, string[], string][] = [
      [path("nothing"), [], path("nothing")],
      [path("empty"), [], "expected train/<class>/*.jpg"],
      [path("one"), [], "cat"],
      [path("text"), [], "Cannot read image folder"],
      [path("images/README.txt"), [], "Cannot read image folder"],
      [
        path("images"),
        ["--batch-size", "41"],
        "--batch-size is 41 and there are 40 training images",
      ],
    ];
    for (const [data, settings, message] of cases) {
      const { code, stderr } = await run(
        ...["--model", "lenet5", "--data", data, "--out", path("run"), ...settings],
      );
      assertEquals(code, 1, stderr);
      assertMatch(stderr, /^topfive: Cannot [^\n]*$/);
      assertStringIncludes(stderr, message);
      assert(!(await Deno.stat(path("run")).then(() => true, () => false)), "a run was begun");
    }
  });
});

Deno.test("trainCommand() --json prints a line an epoch and leaves a whole run", async () => {
  await inFolder(async (path) => {
    await drawImages(path("images"));
    // One of the forty training images is cut off.
    const broken = join("train", "ball", "000000.png");
    const bytes = await Deno.readFile(path(join("images", broken)));
    await Deno.writeFile(path(join("images", broken)), bytes.subarray(0, bytes.length / 2));

    const { code, stdout } = await run(
      ...["--model", "lenet5", "--data", path("images"), "--out", path("runs/a"), "--json"],
      ...["--epochs", "2", "--batch-size", "10", "--learning-rate", "1e-2", "--no-flip"],
      ...["--seed", "5", "--schedule", "constant"],
    );
    assertEquals(code, 0);
    const records = stdout.split("\n").map((line) => JSON.parse(line));
    assertEquals(records.map(({ epoch, step }) => [epoch, step]), [[1, 3], [2, 6]]);
    assertEquals(records[1].validation.images, 10);
    const metrics = await Deno.readTextFile(path("runs/a/metrics.jsonl"));
    assertEquals(metrics, `${stdout}\n`);

    const { config, data, classes } = await readRun(path("runs/a"));
    assertEquals([config.epochs, config.batchSize, config.flip, config.seed], [2, 10, false, 5]);
    assertEquals(data.images, { train: 39, validation: 10, test: 10, broken: 1 });
    assertEquals(classes.length, 10);
    const { state, parameters } = await readCheckpoint(
      (await findCheckpoint(path("runs/a"), "latest"))!,
    );
    assertEquals([state.step, state.loader], [6, { epoch: 2, offset: 0 }]);
    for (const [name, values] of parameters) assert(values.every(Number.isFinite), name);

    // The same again by its own run.json, but for what the flags and the file's layers say.
    const layers = { conv1: { weight: { rateMultiplier: 0 }, bias: { constantRate: 0.5 } } };
    const { config: _, ...again } = JSON.parse(await Deno.readTextFile(path("runs/a/run.json")));
    await Deno.writeTextFile(
      path("again.json"),
      JSON.stringify({ ...again, config: { ...config, layers } }),
    );
    const second = await run(
      ...["--config", path("again.json"), "--data", path("images"), "--out", path("runs/b")],
      ...["--epochs", "1", "--json"],
    );
    assertEquals(second.code, 0, second.stderr);
    const { config: repeated } = await readRun(path("runs/b"));
    assertEquals(repeated, { ...config, epochs: 1, layers });
    const trained = await readCheckpoint((await findCheckpoint(path("runs/b"), "latest"))!);
    const first = initialValues(layOutParameters(MODELS.lenet5.build(10)), 5);
    assertEquals(trained.parameters.get("conv1.weight"), first.get("conv1.weight"));
    assert(trained.parameters.get("conv1.bias")!.some((value) => Math.abs(value) > 0.001));
  });
});

Deno.test("trainCommand() keeps nothing of training that diverges", async () => {
  await inFolder(async (path) => {
    await drawImages(path("images"));
    const { code, stderr } = await run(
      ...["--model", "lenet5", "--data", path("images"), "--out", path("run")],
      ...["--epochs", "3", "--batch-size", "10", "--learning-rate", "1e9"],
    );
    assertEquals(code, 1);
    assertMatch(
      stderr,
      /^topfive: Cannot go on training: the loss is \S+ at step \d+; .+ was the first that was not finite, in the \w+ pass of step \d+\. .*--learning-rate 500000000/,
    );
    const names = [...Deno.readDirSync(path("run"))].map(({ name }) => name);
    assertEquals(names.sort(), ["lock", "run.json"]);
  });
});

Deno.test("trainCommand() trains on images that are all black", async () => {
  await inFolder(async (path) => {
    await drawImages(path("images"));
    // A set that is black throughout has a standard deviation of zero.
    const black = encodePng(new Uint8Array(32 * 32 * 3), 32, 32);
    for (const split of ["train", "validation", "test"]) {
      for (const { name } of Deno.readDirSync(path(`images/${split}`))) {
        for (const file of Deno.readDirSync(path(`images/${split}/${name}`))) {
          await Deno.writeFile(path(`images/${split}/${name}/${file.name}`), black);
        }
      }
    }
    const { code, stderr } = await run(
      ...["--model", "lenet5", "--data", path("images"), "--out", path("run")],
      ...["--epochs", "1", "--batch-size", "10"],
    );
    assertEquals(code, 0, stderr);
  });
});
