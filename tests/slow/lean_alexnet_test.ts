// AlexNet at its full size in the lean session, product by product, against ONNX Runtime. Its trained
// weights cannot be had: they are drawn as He et al. 2015 do.
import { assertLess } from "@std/assert";
import { observe, scalesBy } from "../../training/compress/calibrate.ts";
import { gemmToMatMul } from "../../training/compress/fully_connected.ts";
import { productsOf, quantizeProducts, quantizeTo4Bits } from "../../training/compress/quantize.ts";
import { layOutParameters } from "../../training/graph/parameters.ts";
import { MODELS } from "../../training/models/models.ts";
import { exportOnnx, INPUT_NAME } from "../../training/onnx/export.ts";
import { encodeOnnx } from "../../training/onnx/write.ts";
import type { OnnxModel } from "../../shared/onnx/onnx_node.ts";
import { answerOfOnnxRuntime, leanRunner, nodeOf, Numbers } from "../lean/compare.ts";

const DIMS = [1, 3, 224, 224];
const PIXELS = 3 * 224 * 224;
const MEAN = 120;

function alexnet(): OnnxModel {
  const graph = MODELS.alexnet.build(1000);
  const numbers = new Numbers(2012);
  const values = layOutParameters(graph).slots.map(({ name, spec: { shape } }) => {
    const length = shape.reduce((product, size) => product * size, 1);
    // Uniform numbers of the variance 2 / inputs.
    const scale = shape.length === 1 ? 0.1 : Math.sqrt(6 / (length / shape[0]!));
    return [name, numbers.array(length, scale)] as const;
  });
  const inputOffset = new Float32Array(PIXELS).fill(MEAN);
  return exportOnnx(graph, new Map(values), { version: "0", metadata: {}, inputOffset });
}

/** A picture of soft spots, 0 to 255. */
function picture(seed: number): Float32Array<ArrayBuffer> {
  const numbers = new Numbers(seed);
  const waves = Array.from({ length: 9 }, () => numbers.array(3, 0.1));
  return Float32Array.from({ length: PIXELS }, (_, i) => {
    const [plane, y, x] = [Math.floor(i / 50176), Math.floor(i / 224) % 224, i % 224];
    const [a, b, c] = waves[plane * 3 + (x + y) % 3]!;
    return Math.round(127.5 + 120 * Math.sin(a! * x + b! * y + 60 * c!));
  });
}

/** The part of a model that gives one tensor, flattened. */
function upTo(model: OnnxModel, name: string): Uint8Array<ArrayBuffer> {
  const needed = new Set([name]);
  const nodes = model.nodes.toReversed().filter(({ inputs, outputs }) => {
    const used = outputs.some((output) => needed.has(output));
    if (used) inputs.forEach((input) => needed.add(input));
    return used;
  }).toReversed();
  return encodeOnnx({
    ...model,
    nodes: [...nodes, nodeOf("Flatten", [name], ["layer"], { axis: { int: 1 } })],
    outputs: [{ name: "layer", shape: ["N", ""] }],
    initializers: model.initializers.filter((tensor) => needed.has(tensor.name)),
  });
}

const NAMES = { input: INPUT_NAME, output: "layer" };

async function leanAnswer(file: Uint8Array, image: Float32Array, classes: number) {
  return (await leanRunner(file, NAMES, DIMS, classes)).run(image, 1);
}

/** |x' - x| / |x| */
function error(found: Float32Array, expected: Float32Array): number {
  const [difference, norm] = expected.reduce(
    ([d, n], value, i) => [d + (found[i]! - value) ** 2, n + value ** 2] as [number, number],
    [0, 0] as [number, number],
  );
  return Math.sqrt(difference / norm);
}

Deno.test("AlexNet's products in the lean session: float32 as ONNX Runtime's, int8 and int4 as near as there", async () => {
  const model = gemmToMatMul(alexnet());
  const preprocess = {
    side: 256,
    crop: 224,
    channels: 3,
    mean: [0, 0, 0],
    std: [1, 1, 1],
  } as const;
  const observations = await observe(model, [picture(1), picture(2)]);
  const scales = scalesBy("max", { model, observations, preprocess });
  const forms = {
    int8: quantizeProducts(model, scales),
    int4: quantizeTo4Bits(model, scales),
  };
  const image = picture(3);
  for (const { node } of productsOf(model)) {
    const name = node.outputs[0]!;
    const file = upTo(model, name);
    const expected = await answerOfOnnxRuntime(file, NAMES, image, DIMS);
    const float = error(await leanAnswer(file, image, expected.length), expected);
    assertLess(float, 1e-5, `${name} in float32`);
    console.log(`${name}: float32 ${float.toExponential(1)}`);
    for (const [form, changed] of Object.entries(forms)) {
      const rounded = upTo(changed, name);
      const theirs = await answerOfOnnxRuntime(rounded, NAMES, image, DIMS);
      const ours = await leanAnswer(rounded, image, expected.length);
      const [lean, runtime, apart] = [
        error(ours, expected),
        error(theirs, expected),
        error(ours, theirs),
      ];
      console.log(
        `  ${form} ${(100 * lean).toFixed(2)} %, ONNX Runtime's ${(100 * runtime).toFixed(2)} %, ` +
          `apart ${(100 * apart).toFixed(2)} %`,
      );
      assertLess(lean, 1.1 * runtime + 1e-3, `${name} in ${form}`);
    }
  }
});
