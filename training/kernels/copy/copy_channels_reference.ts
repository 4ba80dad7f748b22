/** Tests only: joining and splitting channels by naive loops, NCHW; each is the other's gradient. */
interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array;
}

type Four = readonly [number, number, number, number];

export function joinReference(parts: readonly Tensor[]): Tensor {
  const [batch, , height, width] = parts[0]!.shape as Four;
  const channels = parts.reduce((sum, { shape }) => sum + shape[1]!, 0);
  const data = new Float64Array(batch * channels * height * width);
  eachPlace(parts, (part, from, to) => data[to] = part.data[from]!);
  return { shape: [batch, channels, height, width], data };
}

export function splitReference({ shape, data }: Tensor, sizes: readonly number[]): Tensor[] {
  const [batch, , height, width] = shape as Four;
  const parts = sizes.map((channels) => ({
    shape: [batch, channels, height, width],
    data: new Float64Array(batch * channels * height * width),
  }));
  eachPlace(parts, (part, to, from) => part.data[to] = data[from]!);
  return parts;
}

/** Visits every number of every part with its place in the whole. */
function eachPlace<T extends Tensor>(
  parts: readonly T[],
  visit: (part: T, place: number, inWhole: number) => void,
): void {
  const total = parts.reduce((sum, { shape }) => sum + shape[1]!, 0);
  let first = 0;
  for (const part of parts) {
    const [batch, channels, height, width] = part.shape as Four;
    let place = 0;
    for (let image = 0; image < batch; image++) {
      for (let channel = first; channel < first + channels; channel++) {
        for (let pixel = 0; pixel < height * width; pixel++, place++) {
          visit(part, place, (image * total + channel) * height * width + pixel);
        }
      }
    }
    first += channels;
  }
}
