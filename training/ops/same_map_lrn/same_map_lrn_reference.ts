/** Tests only: response normalisation within a map by naive loops in float64, NCHW. */
import type { Tensor } from "../op_harness.ts";
import type { SameMapLrnAttributes } from "./same_map_lrn.ts";

export function sameMapLrnForward(input: Tensor, attributes: SameMapLrnAttributes): Tensor {
  const { scale } = squaresOf(input, attributes);
  const data = Float64Array.from(input.data, (x, i) => x * scale[i]! ** -attributes.beta);
  return { shape: input.shape, data };
}

export function sameMapLrnBackward(
  input: Tensor,
  gradOutput: Tensor,
  attributes: SameMapLrnAttributes,
): Tensor {
  const { alpha, beta, size } = attributes;
  const { scale, eachOfSquare } = squaresOf(input, attributes);
  const data = new Float64Array(input.data.length);
  gradOutput.data.forEach((gradient, i) => {
    data[i]! += gradient * scale[i]! ** -beta;
    const own = gradient * input.data[i]! * scale[i]! ** (-beta - 1);
    const factor = -2 * alpha / size ** 2 * beta * own;
    eachOfSquare(i, (j) => data[j]! += factor * input.data[j]!);
  });
  return { shape: input.shape, data };
}

function squaresOf({ shape, data }: Tensor, { size, alpha, bias }: SameMapLrnAttributes) {
  const [, , height, width] = shape as [number, number, number, number];
  const half = (size - 1) / 2;
  const eachOfSquare = (i: number, visit: (index: number) => void) => {
    const x = i % width, y = Math.floor(i / width) % height;
    for (let v = Math.max(0, y - half); v <= Math.min(height - 1, y + half); v++) {
      for (let u = Math.max(0, x - half); u <= Math.min(width - 1, x + half); u++) {
        visit(i + (v - y) * width + u - x);
      }
    }
  };
  const scale = Float64Array.from(data, (_, i) => {
    let squares = 0;
    eachOfSquare(i, (j) => squares += data[j]! ** 2);
    return bias + alpha / size ** 2 * squares;
  });
  return { scale, eachOfSquare };
}
