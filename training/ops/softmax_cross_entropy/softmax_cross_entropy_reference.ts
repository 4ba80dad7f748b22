/** Tests only: softmax, its cross-entropy and errors by naive loops in float64. */
import type { Tensor } from "../op_harness.ts";

/** Probabilities [batch, classes] and of each image its loss, top-1 and top-5 error. */
export function softmaxCrossEntropyForward({ shape, data }: Tensor, labels: readonly number[]) {
  const classes = shape[1]!;
  const probabilities = new Float64Array(data.length);
  const losses = labels.map((label, image) => {
    const row = Array.from(data.subarray(image * classes, (image + 1) * classes));
    const highest = Math.max(...row);
    const sum = row.reduce((sum, logit) => sum + Math.exp(logit - highest), 0);
    row.forEach((logit, c) => {
      probabilities[image * classes + c] = Math.exp(logit - highest) / sum;
    });
    const above = row.filter((logit, c) => c !== label && logit >= row[label]!).length;
    return {
      loss: Math.log(sum) + highest - row[label]!,
      top1Error: above >= 1 ? 1 : 0,
      top5Error: above >= 5 ? 1 : 0,
    };
  });
  return { probabilities: { shape, data: probabilities }, losses };
}

/** The logits' gradient of the sum of losses divided by `lossBatch`. */
export function softmaxCrossEntropyBackward(
  logits: Tensor,
  labels: readonly number[],
  lossBatch: number,
): Tensor {
  const classes = logits.shape[1]!;
  const { data } = softmaxCrossEntropyForward(logits, labels).probabilities;
  labels.forEach((label, image) => data[image * classes + label]! -= 1);
  return { shape: logits.shape, data: data.map((value) => value / lossBatch) };
}
