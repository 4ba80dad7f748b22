/** Tests only: convolution and its gradients by naive loops in float64, NCHW and OIHW. */
import type { Tensor } from "../op_harness.ts";

export interface ConvSizes {
  readonly strides: readonly [number, number];
  /** [top, left, ...]; those at the end follow from the output's size. */
  readonly pads: readonly number[];
  readonly group: number;
  /** [height, width] */
  readonly output: readonly [number, number];
}

type Four = readonly [number, number, number, number];

export function convForward(input: Tensor, weight: Tensor, bias: Tensor, sizes: ConvSizes): Tensor {
  const [x, w] = [Float64Array.from(input.data), Float64Array.from(weight.data)];
  const channels = weight.shape[0]!;
  const pixels = sizes.output[0] * sizes.output[1];
  const data = Float64Array.from(
    { length: input.shape[0]! * channels * pixels },
    (_, i) => bias.data[Math.floor(i / pixels) % channels]!,
  );
  eachProduct(input, weight, sizes, (o, i, k) => data[o]! += x[i]! * w[k]!);
  return { shape: [input.shape[0]!, channels, ...sizes.output], data };
}

/** Gradients of input, weight and bias. */
export function convBackward(
  input: Tensor,
  weight: Tensor,
  gradOutput: Tensor,
  sizes: ConvSizes,
): [Tensor, Tensor, Tensor] {
  const [x, w] = [Float64Array.from(input.data), Float64Array.from(weight.data)];
  const g = Float64Array.from(gradOutput.data);
  const gradInput = new Float64Array(x.length), gradWeight = new Float64Array(w.length);
  eachProduct(input, weight, sizes, (o, i, k) => {
    gradInput[i]! += g[o]! * w[k]!;
    gradWeight[k]! += g[o]! * x[i]!;
  });
  const channels = weight.shape[0]!;
  const gradBias = new Float64Array(channels);
  const pixels = sizes.output[0] * sizes.output[1];
  g.forEach((value, o) => gradBias[Math.floor(o / pixels) % channels]! += value);
  return [
    { shape: input.shape, data: gradInput },
    { shape: weight.shape, data: gradWeight },
    { shape: [channels], data: gradBias },
  ];
}

/** Which input is multiplied by which weight for which output, by their places. */
function eachProduct(
  input: Tensor,
  weight: Tensor,
  { strides, pads, group, output }: ConvSizes,
  visit: (output: number, input: number, weight: number) => void,
): void {
  const [batch, channels, height, width] = input.shape as Four;
  const [outChannels, perGroup, kernelHeight, kernelWidth] = weight.shape as Four;
  let o = 0;
  for (let n = 0; n < batch; n++) {
    for (let out = 0; out < outChannels; out++) {
      const first = Math.floor(out * group / outChannels) * perGroup;
      for (let v = 0; v < output[0]; v++) {
        for (let u = 0; u < output[1]; u++, o++) {
          let k = out * perGroup * kernelHeight * kernelWidth;
          for (let c = first; c < first + perGroup; c++) {
            for (let r = 0; r < kernelHeight; r++) {
              for (let s = 0; s < kernelWidth; s++, k++) {
                const y = v * strides[0] + r - pads[0]!, x = u * strides[1] + s - pads[1]!;
                if (y < 0 || y >= height || x < 0 || x >= width) continue;
                visit(o, ((n * channels + c) * height + y) * width + x, k);
              }
            }
          }
        }
      }
    }
  }
}
