// The whole path on a tiny set, by the commands that a user would type, each a process of its own.
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { join } from "@std/path";
import { readCheckpoint } from "../training/checkpoint/checkpoint.ts";
import { findCheckpoint } from "../training/checkpoint/checkpoint_folder.ts";
import { topfive, TopfiveProcess } from "./topfive_process.ts";

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "top five " });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

interface Answer {
  readonly model: string;
  readonly version: string;
  readonly predictions: readonly { label: string; index: number; probability: number }[];
}

async function classify(origin: string, image: Uint8Array<ArrayBuffer>, top: number) {
  const response = await fetch(`${origin}v1/classify?top=${top}`, { method: "POST", body: image });
  assertEquals(response.status, 200);
  return await response.json() as Answer;
}

/** Serves the store's newest "shapes" for as long as the body takes. */
async function whileServing(folder: string, body: (origin: string) => Promise<void>) {
  await using service = new TopfiveProcess(folder, [
    ...["serve", "--store", "store", "--model", "shapes", "--port", "0"],
  ]);
  const [, origin] = await service.printed("stdout", /serves shapes \S+ at (http:\/\/\S+)/);
  await body(origin!);
  service.signal("SIGTERM");
  const { code, stderr } = await service.finished();
  assertEquals([code, stderr], [0, ""]);
}

Deno.test("topfive takes labelled images to top-5 over HTTP by a user's own commands", async () => {
  await inFolder(async (folder) => {
    const sizes = ["--train", "64", "--validation", "20", "--test", "20", "--side", "72"];
    await topfive(folder, "data", "make", "images", ...sizes);
    const broken = join("train", "ball", "000000.png");
    await Deno.truncate(join(folder, "images", broken), 300);
    await Deno.writeTextFile(join(folder, "images", "train", "ball", "fake.jpg"), "no image");

    const { stderr } = await topfive(
      folder,
      "train",
      "--model",
      "alexnet-small",
      "--data",
      "images",
      "--out",
      "runs/first",
      "--epochs",
      "2",
      "--batch-size",
      "16",
      "--mean",
      "image",
      "--color-noise",
      "0.1",
    );
    assertStringIncludes(stderr, "63 training images of 10 classes");
    assertMatch(stderr, /^2 broken images were skipped:$/m);
    assertMatch(stderr, new RegExp(`^  ${broken}: Cannot read PNG: .*cut off in its IDAT$`, "m"));
    assertMatch(stderr, /^ {2}train\/ball\/fake\.jpg: Cannot /m);

    const unmeasured = new TopfiveProcess(folder, [
      ...["publish", "runs/first", "--store", "store", "--name", "shapes"],
    ]);
    const refused = await unmeasured.finished();
    assertEquals(refused.code, 1);
    assertStringIncludes(refused.stderr, "run: ./topfive evaluate runs/first --data DIR");

    const measured = await topfive(folder, "evaluate", "runs/first", "--data", "images", "--json");
    const { images, top1Error } = JSON.parse(measured.stdout);
    assertEquals(images, 20);
    assert(top1Error >= 0 && top1Error <= 1);

    const publish = ["publish", "runs/first", "--store", "store", "--name", "shapes"];
    const first = await topfive(folder, ...publish, "--json");
    const manifest = JSON.parse(first.stdout);
    assertEquals([manifest.metrics.top1Error, manifest.labels.length], [top1Error, 10]);

    const image = await Deno.readFile(join(folder, "images", "test", "ball", "000000.png"));
    await whileServing(folder, async (origin) => {
      const five = await classify(origin, image, 5);
      assertEquals([five.model, five.version], ["shapes", manifest.version]);
      assertEquals(five.predictions.length, 5);
      const { predictions } = await classify(origin, image, 99);
      assertEquals(predictions.length, 10);
      assertEquals(predictions.slice(0, 5), five.predictions);
      assertEquals(predictions.map(({ label }) => label).sort(), manifest.labels.toSorted());
      for (const { label, index } of predictions) assertEquals(manifest.labels[index], label);
      const sum = predictions.reduce((total, { probability }) => total + probability, 0);
      assertAlmostEquals(sum, 1, 1e-5);

      // A version published now is seen by the next process; this one keeps what it loaded.
      await topfive(folder, ...publish, "--version", "second");
      assertEquals((await classify(origin, image, 1)).version, manifest.version);
    });
    await whileServing(folder, async (origin) => {
      assertEquals((await classify(origin, image, 1)).version, "second");
    });
  });
});

Deno.test("topfive train ends with 130 on Ctrl-C and keeps where it stood", async () => {
  await inFolder(async (folder) => {
    const sizes = ["--train", "40", "--validation", "10", "--test", "10", "--side", "32"];
    await topfive(folder, "data", "make", "images", ...sizes);
    await using training = new TopfiveProcess(folder, [
      ...["train", "--model", "lenet5", "--data", "images", "--out", "run"],
      ...["--epochs", "100000", "--batch-size", "10"],
    ]);
    await training.printed("stderr", /^epoch +2\/100000 /m);
    training.signal("SIGINT");
    const { code, stderr } = await training.finished();
    assertEquals(code, 130, stderr);
    assertMatch(stderr, /^stopping after this step \(again to stop at once\)$/m);
    assertMatch(stderr, /^stopped: \d+ steps in 0:\d\d; run: run$/m);

    const { state, parameters } = await readCheckpoint(
      (await findCheckpoint(join(folder, "run"), "latest"))!,
    );
    const lines = (await Deno.readTextFile(join(folder, "run", "metrics.jsonl"))).trim().split(
      "\n",
    );
    const last = JSON.parse(lines.at(-1)!);
    assert(last.epoch >= 2);
    assert(state.step >= last.step && state.step < last.step + 8, `${state.step} ${last.step}`);
    for (const [name, values] of parameters) assert(values.every(Number.isFinite), name);
    const { code: evaluated } = await topfive(folder, "evaluate", "run", "--data", "images");
    assertEquals(evaluated, 0);
  });
});
