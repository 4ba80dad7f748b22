/**
 * ONNX has no locally connected layer. A Conv whose filters are single ones copies the window of
 * every place into channels; then each place is a product of matrices of its own:
 *
 *     Conv [N, C R S, H, W] -> Reshape [N, C R S, P] -> Transpose [P, N, C R S]
 *     -> MatMul by [P, C R S, O] -> Add [P, 1, O] -> Transpose [N, O, P] -> Reshape [N, O, H, W]
 * @module
 */
import type { OnnxContext, OnnxPart } from "../op.ts";
import type { PoolGeometry } from "../pool_geometry.ts";

export function locallyConnectedToOnnx(g: PoolGeometry, context: OnnxContext): OnnxPart {
  const { name, inputs, outputs, parameters } = context;
  const [weight, bias] = parameters as [typeof parameters[0], typeof parameters[0]];
  const { input, output, kernel } = g;
  const [places, out] = [output.height * output.width, output.channels];
  const window = input.channels * kernel[0] * kernel[1];
  const at = (part: string) => `${name}/${part}`;
  const node = (
    opType: string,
    inputs: readonly string[],
    output: string,
    attributes: OnnxPart["nodes"][number]["attributes"] = {},
  ) => ({ opType, name: `${output}/${opType}`, inputs, outputs: [output], attributes });
  return {
    nodes: [
      node("Conv", [inputs[0]!, at("ones")], at("windows"), {
        kernel_shape: { ints: kernel },
        strides: { ints: g.strides },
        pads: { ints: g.pads },
        group: { int: input.channels },
      }),
      node("Reshape", [at("windows"), at("flat")], at("rows")),
      node("Transpose", [at("rows")], at("places"), { perm: { ints: [2, 0, 1] } }),
      node("MatMul", [at("places"), weight.name], at("products")),
      node("Add", [at("products"), bias.name], at("sums")),
      node("Transpose", [at("sums")], at("columns"), { perm: { ints: [1, 2, 0] } }),
      node("Reshape", [at("columns"), at("image")], outputs[0]!),
    ],
    initializers: [
      { name: at("ones"), dims: [window, 1, ...kernel], data: singleOnes(g) },
      { name: at("flat"), dims: [3], data: BigInt64Array.of(0n, BigInt(window), BigInt(places)) },
      {
        name: at("image"),
        dims: [4],
        data: BigInt64Array.from([0, out, output.height, output.width], BigInt),
      },
      { name: weight.name, dims: [places, window, out], data: transposed(weight.values, g) },
      { name: bias.name, dims: [places, 1, out], data: bias.values },
    ],
  };
}

/** One filter for each channel and tap: [C R S, 1, R, S]. */
function singleOnes({ input, kernel }: PoolGeometry): Float32Array<ArrayBuffer> {
  const taps = kernel[0] * kernel[1];
  const filters = new Float32Array(input.channels * taps * taps);
  for (let filter = 0; filter < input.channels * taps; filter++) {
    filters[filter * taps + filter % taps] = 1;
  }
  return filters;
}

/** [place, out, window] -> [place, window, out] */
function transposed(values: Float32Array, { input, output, kernel }: PoolGeometry) {
  const out = output.channels;
  const window = input.channels * kernel[0] * kernel[1];
  const result = new Float32Array(values.length);
  for (let place = 0; place < output.height * output.width; place++) {
    for (let o = 0; o < out; o++) {
      for (let i = 0; i < window; i++) {
        result[(place * window + i) * out + o] = values[(place * out + o) * window + i]!;
      }
    }
  }
  return result;
}
