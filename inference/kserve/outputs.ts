import type { ModelManifest } from "../../shared/manifest.ts";
import { topK } from "../../shared/top_k.ts";
import { ProtocolError } from "./binary.ts";
import type { InferRequest, OutputTensor } from "./schema.ts";

/** Name of the input that takes encoded images, beside the network's own. */
const IMAGE_INPUT = "image_bytes";

export function inputTensors({ input }: ModelManifest) {
  return [
    { name: input.name, datatype: "FP32", shape: [-1, ...input.shape.slice(1)] },
    { name: IMAGE_INPUT, datatype: "BYTES", shape: [-1] },
  ];
}

export function outputTensors({ output }: ModelManifest) {
  return [{ name: output.name, datatype: "FP32", shape: [-1, output.classes] }];
}

/**
 * The outputs that a request asks for: probabilities [batch, classes], or with the classification
 * extension the best k as `"<value>:<index>:<label>"` [batch, k].
 *
 * @throws {ProtocolError} for an output that the model has not, or a k that is none.
 */
export function outputsOf(
  { outputs }: InferRequest,
  { output: { name, classes }, labels }: ModelManifest,
  rows: readonly Float32Array[],
): OutputTensor[] {
  const wanted = outputs ?? [{ name, parameters: undefined }];
  return wanted.map((asked) => {
    if (asked.name !== name) throw new ProtocolError(`the model has no output ${asked.name}`);
    const k = asked.parameters?.["classification"];
    if (k === undefined) {
      const values = new Float32Array(rows.length * classes);
      rows.forEach((row, index) => values.set(row, index * classes));
      return { name, datatype: "FP32", shape: [rows.length, classes], values };
    }
    if (typeof k !== "number" || !Number.isInteger(k) || k < 1) {
      throw new ProtocolError(`classification is ${k}, expected a whole number from 1`);
    }
    const values = rows.flatMap((row) =>
      topK(row, k).map(({ index, probability }) => `${probability}:${index}:${labels[index]}`)
    );
    return { name, datatype: "BYTES", shape: [rows.length, Math.min(k, classes)], values };
  });
}
