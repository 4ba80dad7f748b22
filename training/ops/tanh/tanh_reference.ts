/** Tests only: the hyperbolic tangent in float64. */
import type { Tensor } from "../op_harness.ts";

export function tanhForward({ shape, data }: Tensor): Tensor {
  return { shape, data: Float64Array.from(data, Math.tanh) };
}

export function tanhBackward({ shape, data }: Tensor, gradOutput: Tensor): Tensor {
  return {
    shape,
    data: Float64Array.from(data, (x, i) => gradOutput.data[i]! * (1 - Math.tanh(x) ** 2)),
  };
}
