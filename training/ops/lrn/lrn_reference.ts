/** Tests only: local response normalisation by naive loops in float64, NCHW. */
import type { Tensor } from "../op_harness.ts";
import type { LrnAttributes } from "./lrn.ts";

export function lrnForward(input: Tensor, attributes: LrnAttributes): Tensor {
  const { scale } = windowsOf(input, attributes);
  const data = Float64Array.from(input.data, (x, i) => x * scale[i]! ** -attributes.beta);
  return { shape: input.shape, data };
}

export function lrnBackward(input: Tensor, gradOutput: Tensor, attributes: LrnAttributes): Tensor {
  const { alpha, beta, size } = attributes;
  const { scale, eachOfWindow } = windowsOf(input, attributes);
  const data = new Float64Array(input.data.length);
  gradOutput.data.forEach((gradient, i) => {
    data[i]! += gradient * scale[i]! ** -beta;
    const factor = -2 * alpha / size * beta * gradient * input.data[i]! * scale[i]! ** (-beta - 1);
    eachOfWindow(i, (j) => data[j]! += factor * input.data[j]!);
  });
  return { shape: input.shape, data };
}

function windowsOf({ shape, data }: Tensor, { size, alpha, bias, towers = 1 }: LrnAttributes) {
  const [, channels, height, width] = shape as [number, number, number, number];
  const plane = height * width, perTower = channels / towers, half = (size - 1) / 2;
  const eachOfWindow = (i: number, visit: (index: number) => void) => {
    const channel = Math.floor(i / plane) % channels;
    const first = Math.floor(channel / perTower) * perTower;
    for (let other = channel - half; other <= channel + half; other++) {
      if (other >= first && other < first + perTower) visit(i + (other - channel) * plane);
    }
  };
  const scale = Float64Array.from(data, (_, i) => {
    let squares = 0;
    eachOfWindow(i, (j) => squares += data[j]! ** 2);
    return bias + alpha / size * squares;
  });
  return { scale, eachOfWindow };
}
