/** Weights [place, out, in, r, s] and biases [place, out] to memory's layout and back. */
import type { PoolGeometry } from "../pool_geometry.ts";

export function packWeight(values: Float32Array, g: PoolGeometry): Float32Array<ArrayBuffer> {
  const { input, output, kernel } = g;
  const places = output.height * output.width;
  const stored = new Float32Array(
    places * kernel[0] * kernel[1] * input.stride * output.stride,
  );
  eachWeight(g, (index, place) => stored[place] = values[index]!);
  return stored;
}

export function unpackWeight(stored: Float32Array, g: PoolGeometry): Float32Array<ArrayBuffer> {
  const { input, output, kernel } = g;
  const places = output.height * output.width;
  const values = new Float32Array(
    places * output.channels * input.channels * kernel[0] * kernel[1],
  );
  eachWeight(g, (index, place) => values[index] = stored[place]!);
  return values;
}

function eachWeight(
  { input, output, kernel }: PoolGeometry,
  visit: (index: number, place: number) => void,
): void {
  const taps = kernel[0] * kernel[1];
  let index = 0;
  for (let place = 0; place < output.height * output.width; place++) {
    for (let o = 0; o < output.channels; o++) {
      for (let c = 0; c < input.channels; c++) {
        for (let tap = 0; tap < taps; tap++, index++) {
          visit(index, ((place * taps + tap) * input.stride + c) * output.stride + o);
        }
      }
    }
  }
}

export function packBias(values: Float32Array, { output }: PoolGeometry) {
  const { channels, stride, height, width } = output;
  const stored = new Float32Array(height * width * stride);
  for (let place = 0; place < height * width; place++) {
    stored.set(values.subarray(place * channels, (place + 1) * channels), place * stride);
  }
  return stored;
}

export function unpackBias(stored: Float32Array, { output }: PoolGeometry) {
  const { channels, stride, height, width } = output;
  const values = new Float32Array(height * width * channels);
  for (let place = 0; place < height * width; place++) {
    const own = stored.subarray(place * stride, place * stride + channels);
    values.set(own, place * channels);
  }
  return values;
}
