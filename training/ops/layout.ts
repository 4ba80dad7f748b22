/** Images between ONNX's NCHW and memory's NHWC with padded channels (see `Shape`). */
import { elementsOf, floatsOf, type Shape } from "./op.ts";

/**
 * @param values `batch` images, NCHW without padding
 * @returns NHWC, `floatsOf(shape)` numbers an image, padding zero
 * @throws {RangeError} where the count of numbers is not that of the shape.
 */
export function toStorage(
  values: ArrayLike<number>,
  shape: Shape,
  batch: number,
): Float32Array<ArrayBuffer> {
  expectLength(values, batch * elementsOf(shape), shape, batch);
  const stored = new Float32Array(batch * floatsOf(shape));
  eachNumber(shape, batch, (index, place) => stored[place] = values[index]!);
  return stored;
}

/** The reverse of {@link toStorage}; what the padding holds is left behind. */
export function fromStorage(
  stored: ArrayLike<number>,
  shape: Shape,
  batch: number,
): Float32Array<ArrayBuffer> {
  expectLength(stored, batch * floatsOf(shape), shape, batch);
  const values = new Float32Array(batch * elementsOf(shape));
  eachNumber(shape, batch, (index, place) => values[index] = stored[place]!);
  return values;
}

function expectLength(numbers: ArrayLike<number>, expected: number, shape: Shape, batch: number) {
  if (numbers.length === expected) return;
  const { channels, height, width } = shape;
  throw new RangeError(
    `Cannot convert ${batch} images of ${channels} x ${height} x ${width}: ` +
      `got ${numbers.length} numbers (expected ${expected})`,
  );
}

/** A flattened image lies in memory as the image does, and is numbered as the image is. */
function eachNumber(
  shape: Shape,
  batch: number,
  visit: (index: number, place: number) => void,
): void {
  const { channels, height, width, stride } = shape.flattened ?? shape;
  const pixels = height * width;
  let index = 0;
  for (let image = 0; image < batch; image++) {
    for (let channel = 0; channel < channels; channel++) {
      for (let pixel = 0; pixel < pixels; pixel++, index++) {
        visit(index, (image * pixels + pixel) * stride + channel);
      }
    }
  }
}
