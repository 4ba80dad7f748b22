/** Tests only: max-pooling by naive loops in float64, NCHW. */
import type { Tensor } from "../op_harness.ts";

export interface PoolSizes {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  /** [top, left, ...] */
  readonly pads: readonly number[];
  /** [height, width] */
  readonly output: readonly [number, number];
}

export function maxPoolForward(input: Tensor, sizes: PoolSizes): Tensor {
  const places = maximumPlaces(input, sizes);
  return {
    shape: [...input.shape.slice(0, 2), ...sizes.output],
    data: Float64Array.from(places, (place) => input.data[place]!),
  };
}

export function maxPoolBackward(input: Tensor, gradOutput: Tensor, sizes: PoolSizes): Tensor {
  const data = new Float64Array(input.data.length);
  maximumPlaces(input, sizes).forEach((place, i) => data[place]! += gradOutput.data[i]!);
  return { shape: input.shape, data };
}

/** Where in the input each output comes from. */
function maximumPlaces({ shape, data }: Tensor, { kernel, strides, pads, output }: PoolSizes) {
  const [batch, channels, height, width] = shape as [number, number, number, number];
  const places: number[] = [];
  for (let plane = 0; plane < batch * channels; plane++) {
    for (let v = 0; v < output[0]; v++) {
      for (let u = 0; u < output[1]; u++) {
        let best = -1;
        for (let r = 0; r < kernel[0]; r++) {
          for (let s = 0; s < kernel[1]; s++) {
            const y = v * strides[0] + r - pads[0]!, x = u * strides[1] + s - pads[1]!;
            if (y < 0 || y >= height || x < 0 || x >= width) continue;
            const place = (plane * height + y) * width + x;
            if (best < 0 || data[place]! > data[best]!) best = place;
          }
        }
        places.push(best);
      }
    }
  }
  return places;
}
