import { z } from "zod";

/** Of a tensor's shape, and so of its nested data. */
export const MOST_DIMENSIONS = 8;

const Parameters = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

const Tensor = z.object({
  name: z.string(),
  shape: z.array(z.int().nonnegative()).max(MOST_DIMENSIONS),
  datatype: z.string(),
  parameters: Parameters.optional(),
  data: z.array(z.unknown()).optional(),
});

/** Body of `/v2/models/{m}/infer` (Open Inference Protocol v2); unknown fields are ignored. */
export const InferRequest = z.object({
  id: z.string().optional(),
  parameters: Parameters.optional(),
  inputs: z.array(Tensor).min(1),
  outputs: z.array(z.object({ name: z.string(), parameters: Parameters.optional() })).optional(),
});

/** Body of `/v2/repository/index`. */
export const IndexRequest = z.object({ ready: z.boolean().optional() });

/** Body of `/v2/repository/models/{m}/load` and `unload`; other parameters are ignored. */
export const LoadRequest = z.object({
  parameters: z.object({ version: z.string().optional() }).optional(),
});

export type InferRequest = z.infer<typeof InferRequest>;
export type InferTensor = z.infer<typeof Tensor>;

/** One output of an answer; `bytes` where it leaves behind the JSON. */
export interface OutputTensor {
  readonly name: string;
  readonly datatype: "FP32" | "BYTES";
  readonly shape: number[];
  readonly values: Float32Array | string[];
}
