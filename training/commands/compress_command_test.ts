import { assert, assertEquals, assertGreater, assertLess, assertStringIncludes } from "@std/assert";
import type { Cost, ModelManifest } from "../../shared/manifest.ts";
import { readPointed } from "../../shared/model_registry.ts";
import { DirectoryStore } from "../../shared/object_store/directory.ts";
import { readPointer } from "../../shared/registry/pointer.ts";
import { captured } from "../fixtures/captured.ts";
import { drawImages, inFolder, writeRun } from "../fixtures/drawn_run.ts";
import { onnxFileOf } from "../compress/subject.ts";
import { loadRun } from "../load_run.ts";
import { compressCommand } from "./compress_command.ts";

const run = (...args: string[]) => captured(() => compressCommand(args));

async function latest(folder: string, name: string): Promise<ModelManifest> {
  const store = new DirectoryStore(folder);
  return await readPointed(store, name, (await readPointer(store, name, "latest"))!);
}

Deno.test("compressCommand() answers wrong arguments with 2 and the reason", async () => {
  const cases: [string[], string][] = [
    [[], "expected one MODEL"],
    [["run", "--data", "d"], "expected --for edge"],
    [["run", "--for", "edge", "--data", "d", "--images", "d"], "--images DIR, not both"],
    [["run", "--for", "edge", "--data", "d", "--forms", "int3"], "no form int3"],
    [["run", "--for", "edge", "--data", "d", "--max-loss", "-1"], "--max-loss is -1"],
    [["run", "--for", "edge", "--data", "d", "--prune", "1"], "--prune is 1"],
    [["run", "--for", "edge", "--data", "d", "--prune-epochs", "1"], "without --prune"],
    [["run", "--for", "edge", "--images", "d", "--prune", "0.5"], "expected --data DIR"],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await run(...args);
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, message);
  }
});

Deno.test("compressCommand() publishes a run with its forms, then that version with others", async () => {
  await inFolder(async (path) => {
    await drawImages(path("images"));
    await writeRun(path("run"), { model: "alexnet-small" });
    const place = ["--for", "edge", "--no-cost", "--max-loss", "100", "--store", path("store")];
    const { code, stderr } = await run(
      path("run"),
      ...["--data", path("images"), "--name", "shapes", "--out", path("small"), ...place],
    );
    assertEquals(code, 0, stderr);
    const manifest = await latest(path("store"), "shapes");
    const { weights, variants = [], selfTest } = manifest;
    assertEquals(variants.map(({ name }) => name), ["float16", "int8-weights", "int8", "int4"]);
    assertEquals(manifest.metrics?.images, 10);
    assert(selfTest);
    const [half, rows, int8, int4] = variants;
    assertLess(half!.weights.byteLength, weights.byteLength * 0.55);
    assertLess(rows!.weights.byteLength, weights.byteLength * 0.35);
    for (const variant of variants) {
      assertEquals(variant.agreement!.images, 10);
      assertGreater(variant.agreement!.top5, 0.89, variant.name);
      assert(variant.selfTestTop);
      assertLess(variant.wireBytes!.gzip, variant.weights.byteLength);
      const written = await Deno.stat(path(`small/${variant.name}.onnx`));
      assertEquals(written.size, variant.weights.byteLength);
    }
    assert(int8!.weights.sha256 !== rows!.weights.sha256);
    assertLess(int4!.weights.byteLength, int8!.weights.byteLength * 0.7);

    const again = await run("shapes", "--images", path("images"), "--forms", "int8", ...place);
    assertEquals(again.code, 0, again.stderr);
    const second = await latest(path("store"), "shapes");
    assertEquals(second.weights, weights);
    assertEquals(second.provenance.parent, manifest.version);
    assertEquals(second.variants!.map(({ name, metrics }) => [name, metrics]), [[
      "int8",
      undefined,
    ]]);
    assertEquals(second.selfTest, selfTest);
  });
});

Deno.test("compressCommand() takes a run's own images, and measures a file's forms in the service", async () => {
  await inFolder(async (path) => {
    await drawImages(path("images"));
    await writeRun(path("run"), { source: path("images") });
    const place = ["--for", "edge", "--max-loss", "100", "--json"];
    const made = await run(path("run"), ...place, "--no-cost");
    assertEquals(made.code, 0, made.stderr);
    const [original] = JSON.parse(made.stdout);
    assertEquals(original.metrics.images, 10);

    const file = path("run.onnx");
    await Deno.writeFile(file, await onnxFileOf(await loadRun(path("run"))));
    const measured = await run(file, ...place, "--images", path("images"), "--forms", "int4");
    assertEquals(measured.code, 0, measured.stderr);
    const rows = JSON.parse(measured.stdout) as { name: string; cost?: Cost }[];
    assertEquals(rows.map(({ name }) => name), ["original", "int4"]);
    for (const { name, cost } of rows) {
      assertEquals(cost?.runtime, "lean", name);
      assertGreater(cost!.peakMemory, 50e6, name);
      assertLess(cost!.inferenceMs, cost!.firstAnswerMs, name);
    }

    const unsaid = await run(file, ...place);
    assertEquals(unsaid.code, 1);
    assertStringIncludes(unsaid.stderr, "it does not say what it was trained on");
  });
});

Deno.test("compressCommand() refuses a form that loses too much, and publishes the rest", async () => {
  await inFolder(async (path) => {
    await drawImages(path("images"));
    await writeRun(path("run"));
    // Nothing may be lost: what answers worse is refused, what does not is kept.
    const { code, stdout } = await run(
      path("run"),
      ...["--for", "edge", "--data", path("images"), "--no-cost", "--max-loss", "0", "--json"],
    );
    const rows = JSON.parse(stdout) as {
      name: string;
      refused: boolean;
      metrics: ModelManifest["metrics"];
    }[];
    const [original, ...forms] = rows;
    for (const { refused, metrics } of forms) {
      const loses = metrics!.top1Error > original!.metrics!.top1Error ||
        metrics!.top5Error > original!.metrics!.top5Error;
      assertEquals(refused, loses);
    }
    assertEquals(code, forms.some(({ refused }) => refused) ? 1 : 0);
  });
});

Deno.test("compressCommand() prunes a run, publishes both forms, and refuses a file", async () => {
  await inFolder(async (path) => {
    await drawImages(path("images"));
    await writeRun(path("run"));
    const options = [
      ...["--for", "edge", "--data", path("images"), "--no-cost", "--max-loss", "100"],
      ...["--prune", "0.8", "--prune-epochs", "1", "--forms", "float16"],
    ];
    const published = ["--store", path("store"), "--name", "shapes", "--out", path("small")];
    const { code, stdout, stderr } = await run(path("run"), ...options, ...published);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, "80.0 % of the weights of each layer but the first");
    const { variants = [], wireBytes } = await latest(path("store"), "shapes");
    assertEquals(variants.map(({ name }) => name), [
      "float16",
      "pruned",
      "pruned-int8",
      "pruned-int4",
    ]);
    for (const { name, wireBytes: own } of variants.slice(1)) {
      assertLess(own!.gzip, wireBytes!.gzip / 2, name);
    }
    const file = await run(path("small/pruned.onnx"), ...options);
    assertEquals(file.code, 1);
    assertStringIncludes(file.stderr, "only a run's folder can be retrained");
  });
});
