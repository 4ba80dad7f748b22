import { assertEquals, assertThrows } from "@std/assert";
import { exampleManifest } from "./fixtures/example_manifest.ts";
import { type ModelManifest, parseManifest, parseSafeName } from "./manifest.ts";

/** The example with the value at `path` replaced, or removed when it is undefined. */
function changed(path: string, value: unknown): unknown {
  const copy = structuredClone(exampleManifest()) as unknown;
  const keys = path.split(".");
  const last = keys.pop()!;
  const target = keys.reduce(
    (at, key) => at[key] as Record<string, unknown>,
    copy as Record<string, unknown>,
  );
  if (value === undefined) delete target[last];
  else target[last] = value;
  return copy;
}

Deno.test("parseManifest() accepts text and value alike, unchanged", () => {
  const manifest: ModelManifest = exampleManifest();
  assertEquals(parseManifest(manifest), manifest);
  assertEquals(parseManifest(JSON.stringify(manifest)), manifest);
});

const VARIANT = { name: "int8", weights: exampleManifest().weights };

const WRONG: [path: string, value: unknown, message: string][] = [
  ["schemaVersion", 2, "schemaVersion: "],
  ["name", "../etc", "name: expected 1 to 128 letters"],
  ["name", ".hidden", "name: "],
  ["version", "a/b", "version: "],
  ["version", "", "version: "],
  ["version", "v".repeat(129), "version: "],
  ["createdAt", "yesterday", "createdAt: "],
  ["weights.sha256", "ABC", "weights.sha256: expected 64"],
  ["weights.byteLength", 0, "weights.byteLength: "],
  ["weights.key", undefined, "weights.key: "],
  ["input.shape", [-1, 1, 4, 4], "input.shape: 1 x 4 x 4 is not what preprocess makes, 3 x 4 x 4"],
  ["input.shape", [-1, 3, 4], "input.shape: "],
  ["output.classes", 3, "labels: 2 labels for 3 classes"],
  ["preprocess.crop", 9, "preprocess.crop: 9 is larger than side 6"],
  ["preprocess.mean", [1, 2], "preprocess.mean: 2 numbers for 3 channels"],
  ["preprocess.std", [1, 2, 3, 4], "preprocess.std: 4 numbers for 3 channels"],
  ["preprocess.std", [1, 0, 1], "preprocess.std.1: "],
  ["preprocess.mean", [1, NaN, 1], "preprocess.mean.1: "],
  ["preprocess.channels", 2, "preprocess.channels: "],
  ["labels", ["cat", ""], "labels.1: "],
  ["metrics.top1Error", 1.5, "metrics.top1Error: "],
  ["metrics.loss", Infinity, "metrics.loss: "],
  ["provenance.seed", 0.5, "provenance.seed: "],
  ["provenance.config", { f: () => 1 }, "provenance.config"],
  ["provenance.parent", "../x", "provenance.parent: "],
  ["variants", [VARIANT, VARIANT], "variants: int8,int8: a name repeats"],
  ["variants", [{ ...VARIANT, name: "original" }], "expected another name than original"],
  [
    "variants",
    [{ ...VARIANT, agreement: { images: 1, top1: 2, top5: 1, fiveShared: 1 } }],
    "agreement.top1: ",
  ],
  ["surprise", 1, "surprise"],
];

for (const [path, value, message] of WRONG) {
  Deno.test(`parseManifest() refuses ${path} = ${JSON.stringify(value)?.slice(0, 40)}`, () => {
    assertThrows(() => parseManifest(changed(path, value)), SyntaxError, message);
  });
}

Deno.test("parseManifest() keeps measures of its own among the metrics", () => {
  assertEquals(parseManifest(changed("metrics.seconds", 12)).metrics?.["seconds"], 12);
});

Deno.test("parseManifest() refuses text that is no JSON", () => {
  assertThrows(() => parseManifest("{"), SyntaxError, "Cannot parse model manifest");
  assertThrows(() => parseManifest(null), SyntaxError, "Cannot parse model manifest");
});

Deno.test("parseSafeName() names what is wrong", () => {
  assertEquals(parseSafeName("model name", "alexnet-small_1.0"), "alexnet-small_1.0");
  for (const bad of ["", ".", "..", "a/b", "a\\b", "a b", "é", "-x", "a\n", 5]) {
    assertThrows(() => parseSafeName("model name", bad), SyntaxError, "as model name: ");
  }
});
