/** Tests only: a fully connected layer and its gradients by naive loops in float64. */
import type { Tensor } from "../op_harness.ts";

/** input [batch, inputs], weight [outputs, inputs], bias [outputs] -> [batch, outputs] */
export function gemmForward(input: Tensor, weight: Tensor, bias: Tensor): Tensor {
  const [outputs, inputs] = weight.shape as [number, number];
  const batch = input.shape[0]!;
  const data = new Float64Array(batch * outputs);
  for (let n = 0; n < batch; n++) {
    for (let o = 0; o < outputs; o++) {
      let sum = bias.data[o]!;
      for (let c = 0; c < inputs; c++) {
        sum += input.data[n * inputs + c]! * weight.data[o * inputs + c]!;
      }
      data[n * outputs + o] = sum;
    }
  }
  return { shape: [batch, outputs], data };
}

/** Gradients of input, weight and bias. */
export function gemmBackward(
  input: Tensor,
  weight: Tensor,
  gradOutput: Tensor,
): [Tensor, Tensor, Tensor] {
  const [outputs, inputs] = weight.shape as [number, number];
  const gradInput = new Float64Array(input.data.length);
  const gradWeight = new Float64Array(weight.data.length);
  const gradBias = new Float64Array(outputs);
  for (let n = 0; n < input.shape[0]!; n++) {
    for (let o = 0; o < outputs; o++) {
      const gradient = gradOutput.data[n * outputs + o]!;
      gradBias[o]! += gradient;
      for (let c = 0; c < inputs; c++) {
        gradInput[n * inputs + c]! += gradient * weight.data[o * inputs + c]!;
        gradWeight[o * inputs + c]! += gradient * input.data[n * inputs + c]!;
      }
    }
  }
  return [
    { shape: input.shape, data: gradInput },
    { shape: weight.shape, data: gradWeight },
    { shape: [outputs], data: gradBias },
  ];
}
