import { assertEquals, assertThrows } from "@std/assert";
import { exampleManifest } from "../../shared/fixtures/example_manifest.ts";
import { chooseVariant } from "./choose_variant.ts";

function weights(byteLength: number) {
  return { sha256: "1".repeat(64), byteLength, key: "blobs/x" };
}

const cost = { runtime: "onnxruntime-web", firstAnswerMs: 600, inferenceMs: 46 };
const alexnet = exampleManifest({
  weights: weights(243_900_000),
  variants: [
    { name: "float16", weights: weights(122_000_000), cost: { ...cost, peakMemory: 690_000_000 } },
    { name: "int8", weights: weights(61_100_000), cost: { ...cost, peakMemory: 300_000_000 } },
  ],
});

Deno.test("chooseVariant() takes the most faithful form that fits, measured or by its size", () => {
  const chosen = (budget: number | undefined) => {
    const { name, fits } = chooseVariant(alexnet, { variant: undefined, budget });
    return [name, fits];
  };
  assertEquals(chosen(undefined), ["original", true]);
  assertEquals(chosen(1_000_000_000), ["original", true]);
  assertEquals(chosen(700_000_000), ["float16", true]);
  assertEquals(chosen(512_000_000), ["int8", true]);
  // Nothing fits: the least needy is served all the same.
  assertEquals(chosen(128_000_000), ["int8", false]);
});

Deno.test("chooseVariant() estimates by the engine where it was not measured on it", () => {
  const needs = (runtime: "auto" | "lean" | "onnxruntime-web", of = alexnet) =>
    chooseVariant(of, { variant: "int8", budget: undefined, runtime }).needs / 1e6;
  assertEquals([needs("auto"), needs("onnxruntime-web")], [300, 300]);
  assertEquals(Math.round(needs("lean")), 224);
  const onLean = {
    ...alexnet,
    cost: { ...cost, runtime: "lean", peakMemory: 376e6 },
    variants: [{ name: "int8", weights: weights(61_100_000) }],
  };
  assertEquals(Math.round(needs("auto", onLean)), 224);
  assertEquals(Math.round(needs("onnxruntime-web", onLean)), 351);
});

Deno.test("chooseVariant() obeys a name, whatever fits", () => {
  const form = chooseVariant(alexnet, { variant: "float16", budget: 1 });
  assertEquals([form.name, form.manifest.weights.byteLength], ["float16", 122_000_000]);
  assertThrows(
    () => chooseVariant(alexnet, { variant: "int4", budget: undefined }),
    RangeError,
    "it has original, float16, int8",
  );
});
