/** The products of a network one by one: what each must read and multiply, and what rounding costs it. */
import type { OnnxModel } from "../../../shared/onnx/onnx_node.ts";
import { gemmToMatMul } from "../../../training/compress/fully_connected.ts";
import { productsOf } from "../../../training/compress/quantize.ts";
import { openOnnxSession, runOnnx } from "../../../training/evaluation/onnx_session.ts";
import { encodeOnnx } from "../../../training/onnx/write.ts";
import type { Peak } from "./peak.ts";

export interface ProductWork {
  /** The product's output. */
  readonly name: string;
  readonly weights: number;
  readonly multiplyAdds: number;
  readonly fullyConnected: boolean;
}

/** What each convolution and matrix product does for one image. */
export async function workOf(model: OnnxModel, image: Float32Array): Promise<ProductWork[]> {
  const float = gemmToMatMul(model);
  const products = productsOf(float);
  const outputs = await outputsOf(float, products.map(({ node }) => node.outputs[0]!), image);
  return products.map(({ node, weights, axis }) => {
    const name = node.outputs[0]!;
    const each = weights.data.length / weights.dims[axis]!;
    return {
      name,
      weights: weights.data.length,
      multiplyAdds: outputs.get(name)!.length * each,
      fullyConnected: node.opType === "MatMul",
    };
  });
}

/** Milliseconds of one image at best: each product either reads its weights or multiplies. */
export function boundOf(
  work: readonly ProductWork[],
  { bandwidth, float32, int8 }: Peak,
  form: {
    readonly bytesPerWeight: number;
    /** Of fully connected layers, where they differ. */
    readonly bytesPerConnection?: number;
    readonly integers: boolean;
  },
): number {
  const { bytesPerWeight, bytesPerConnection = bytesPerWeight, integers } = form;
  const seconds = work.map(({ weights, multiplyAdds, fullyConnected }) => {
    const bytes = weights * (fullyConnected ? bytesPerConnection : bytesPerWeight);
    return Math.max(bytes / bandwidth, multiplyAdds / (integers ? int8 : float32));
  });
  return 1000 * seconds.reduce((sum, part) => sum + part, 0);
}

/** Relative error |x' - x| / |x| of each product's output in another form of the same network. */
export async function layerErrors(
  model: OnnxModel,
  form: OnnxModel,
  image: Float32Array,
): Promise<Map<string, number>> {
  // With its bias, which is there under the same name in every form.
  const names = model.nodes.filter(({ opType }) => ["Conv", "Gemm", "MatMul"].includes(opType))
    .map(({ outputs }) => outputs[0]!);
  const expected = await outputsOf(model, names, image);
  const found = await outputsOf(form, names, image);
  return new Map(names.map((name) => {
    const [x, y] = [expected.get(name)!, found.get(name)!];
    let [error, norm] = [0, 0];
    x.forEach((value, i) => {
      error += (y[i]! - value) ** 2;
      norm += value ** 2;
    });
    return [name, Math.sqrt(error / norm)];
  }));
}

async function outputsOf(
  model: OnnxModel,
  names: readonly string[],
  image: Float32Array,
): Promise<Map<string, Float32Array>> {
  const ranks = new Map(model.nodes.flatMap(({ opType, outputs: [name] }) => [
    [name!, opType === "Conv" ? 4 : 2] as const,
  ]));
  const shown = {
    ...model,
    outputs: names.map((name) => ({ name, shape: Array<string>(ranks.get(name)!).fill("") })),
  };
  const session = await openOnnxSession("a network of the bench", encodeOnnx(shown));
  try {
    const [, ...dims] = model.inputs[0]!.shape as number[];
    return new Map(Object.entries(await runOnnx(session, image, [1, ...dims])));
  } finally {
    await session.release();
  }
}
