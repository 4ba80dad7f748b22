/** Tests only: a convolution without shared weights by naive loops in float64, NCHW. */
import type { Tensor } from "../op_harness.ts";

export interface LocalSizes {
  readonly strides: readonly [number, number];
  /** [top, left, ...] */
  readonly pads: readonly number[];
  /** [height, width] */
  readonly output: readonly [number, number];
}

/** @param weight [place, out, in, r, s], bias [place, out] */
export function locallyConnectedForward(
  input: Tensor,
  weight: Tensor,
  bias: Tensor,
  sizes: LocalSizes,
): Tensor {
  const [batch] = input.shape as [number];
  const [places, out] = bias.shape as [number, number];
  const data = new Float64Array(batch * out * places);
  eachProduct(input.shape, weight.shape, sizes, ({ from, by, to }) => {
    data[to]! += input.data[from]! * weight.data[by]!;
  });
  for (let i = 0; i < data.length; i++) {
    data[i]! += bias.data[i % places * out + Math.floor(i / places) % out]!;
  }
  return { shape: [batch, out, ...sizes.output], data };
}

/** Gradients of input, weight and bias. */
export function locallyConnectedBackward(
  input: Tensor,
  weight: Tensor,
  gradOutput: Tensor,
  sizes: LocalSizes,
): [Tensor, Tensor, Tensor] {
  const [places, out] = weight.shape as [number, number];
  const gradInput = new Float64Array(input.data.length);
  const gradWeight = new Float64Array(weight.data.length);
  const gradBias = new Float64Array(places * out);
  eachProduct(input.shape, weight.shape, sizes, ({ from, by, to }) => {
    gradInput[from]! += gradOutput.data[to]! * weight.data[by]!;
    gradWeight[by]! += gradOutput.data[to]! * input.data[from]!;
  });
  gradOutput.data.forEach((gradient, i) => {
    gradBias[i % places * out + Math.floor(i / places) % out]! += gradient;
  });
  return [
    { shape: input.shape, data: gradInput },
    { shape: weight.shape, data: gradWeight },
    { shape: [places, out], data: gradBias },
  ];
}

/** Every product of a number of the input and a weight, with the number of the output it is of. */
function eachProduct(
  input: readonly number[],
  weight: readonly number[],
  { strides, pads, output }: LocalSizes,
  visit: (at: { from: number; by: number; to: number }) => void,
): void {
  const [batch, channels, height, width] = input as [number, number, number, number];
  const [places, out, , rows, columns] = weight as [number, number, number, number, number];
  for (let n = 0; n < batch; n++) {
    for (let by = 0; by < places * out * channels * rows * columns; by++) {
      const s = by % columns, r = Math.floor(by / columns) % rows;
      const c = Math.floor(by / (columns * rows)) % channels;
      const o = Math.floor(by / (columns * rows * channels)) % out;
      const place = Math.floor(by / (columns * rows * channels * out));
      const y = Math.floor(place / output[1]) * strides[0] - pads[0]! + r;
      const x = place % output[1] * strides[1] - pads[1]! + s;
      if (y < 0 || y >= height || x < 0 || x >= width) continue;
      const from = ((n * channels + c) * height + y) * width + x;
      visit({ from, by, to: (n * out + o) * places + place });
    }
  }
}
