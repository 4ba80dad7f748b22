/** What answers questions about images: a network on the GPU, or an ONNX file. */
import type { PreprocessSpec } from "../../shared/image/preprocess.ts";
import type { Split } from "../dataset/dataset.ts";
import type { View } from "./views.ts";

export interface PredictOptions {
  readonly views: readonly View[];
  onProgress?(images: number): void;
}

export interface Predictor {
  readonly classes: readonly string[];
  readonly preprocess: PreprocessSpec;
  /** Probabilities [images, classes], the mean over the views. */
  predict(split: Split, options: PredictOptions): Promise<Float32Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** The mean of what several models answered, as the contest's entry of 2012 did. */
export function meanOf(answers: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const mean = new Float32Array(answers[0]?.length ?? 0);
  for (let i = 0; i < mean.length; i++) {
    let sum = 0;
    for (const answer of answers) sum += answer[i]!;
    mean[i] = sum / answers.length;
  }
  return mean;
}
