/** Tests only: average-pooling by naive loops in float64, NCHW; padding does not count. */
import type { Tensor } from "../op_harness.ts";

export interface PoolSizes {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  /** [top, left, ...] */
  readonly pads: readonly number[];
  /** [height, width] */
  readonly output: readonly [number, number];
}

export function averagePoolForward(input: Tensor, sizes: PoolSizes): Tensor {
  const windows = placesOfWindows(input.shape, sizes);
  return {
    shape: [...input.shape.slice(0, 2), ...sizes.output],
    data: Float64Array.from(windows, (places) => {
      return places.reduce((sum, place) => sum + input.data[place]!, 0) / places.length;
    }),
  };
}

export function averagePoolBackward(input: Tensor, gradOutput: Tensor, sizes: PoolSizes): Tensor {
  const data = new Float64Array(input.data.length);
  placesOfWindows(input.shape, sizes).forEach((places, window) => {
    for (const place of places) data[place]! += gradOutput.data[window]! / places.length;
  });
  return { shape: input.shape, data };
}

/** Which numbers of the input each number of the output is the mean of. */
function placesOfWindows(
  shape: readonly number[],
  { kernel, strides, pads, output }: PoolSizes,
): number[][] {
  const [batch, channels, height, width] = shape as [number, number, number, number];
  const windows: number[][] = [];
  for (let plane = 0; plane < batch * channels; plane++) {
    for (let v = 0; v < output[0]; v++) {
      for (let u = 0; u < output[1]; u++) {
        const places: number[] = [];
        for (let r = 0; r < kernel[0]; r++) {
          for (let s = 0; s < kernel[1]; s++) {
            const y = v * strides[0] + r - pads[0]!, x = u * strides[1] + s - pads[1]!;
            if (y < 0 || y >= height || x < 0 || x >= width) continue;
            places.push((plane * height + y) * width + x);
          }
        }
        windows.push(places);
      }
    }
  }
  return windows;
}
