/** Tests only: finite differences prove the backward pass of a float64 reference. */
import { assertClose, randomTensor, type Tensor } from "./op_harness.ts";

/**
 * Asserts that `backward` is the gradient of `forward`, by central differences of
 * sum(forward(inputs) * g) with a random g, over every number of every input.
 *
 * @param inputs keep clear of the kinks of `forward` by more than `step`
 */
export function checkGradients(
  forward: (inputs: readonly Tensor[]) => Tensor[],
  backward: (inputs: readonly Tensor[], gradOutputs: readonly Tensor[]) => Tensor[],
  inputs: readonly Tensor[],
  { step = 1e-5, relative = 1e-8 }: { step?: number; relative?: number } = {},
): void {
  const points = inputs.map(({ shape, data }) => ({ shape, data: Float64Array.from(data) }));
  const gradOutputs = forward(points).map(({ shape }, i) => randomTensor(shape, 1000 + i));
  const projection = () =>
    forward(points).reduce((sum, { data }, i) => sum + dot(data, gradOutputs[i]!.data), 0);
  const gradients = backward(points, gradOutputs);
  points.forEach(({ data }, i) => {
    const differences = data.map((value, at) => {
      data[at] = value + step;
      const above = projection();
      data[at] = value - step;
      const below = projection();
      data[at] = value;
      return (above - below) / (2 * step);
    });
    assertClose(gradients[i]!.data, differences, {
      relative,
      message: `gradient of input ${i} against finite differences`,
    });
  });
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
