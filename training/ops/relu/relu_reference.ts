/** Tests only: max(0, x) in float64. */
import type { Tensor } from "../op_harness.ts";

export function reluForward({ shape, data }: Tensor): Tensor {
  return { shape, data: Float64Array.from(data, (x) => Math.max(0, x)) };
}

export function reluBackward({ shape, data }: Tensor, gradOutput: Tensor): Tensor {
  return { shape, data: Float64Array.from(data, (x, i) => x > 0 ? gradOutput.data[i]! : 0) };
}
