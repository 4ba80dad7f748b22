import { z } from "zod";

/** What `POST /v1/classify` answers for one image; `Classification` in classifier.ts is its type. */
export const ClassificationAnswer = z.object({
  model: z.string(),
  version: z.string(),
  variant: z.string().describe('The form of the weights that answered: "original", "int8" …'),
  runtime: z.string().describe('The engine that ran it, such as "onnxruntime-web".'),
  predictions: z.array(z.object({
    label: z.string(),
    index: z.int().nonnegative().describe("The class's place in the network's output, from 0."),
    probability: z.number().min(0).max(1),
  })),
  heat_map: z.string().optional().describe("A PNG as data URL, where it was asked for."),
  timing: z.object({
    queue_ms: z.number(),
    decode_ms: z.number(),
    inference_ms: z.number(),
    total_ms: z.number(),
  }),
});

/** RFC 9457. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  instance: z.string(),
});

/** One of several images. */
const Failure = z.object({ error: Problem.omit({ instance: true }) });
const Named = z.object({ name: z.string().optional() });
export const Results = z.object({
  results: z.array(
    z.union([ClassificationAnswer.extend(Named.shape), Failure.extend(Named.shape)]),
  ),
});

export const HuggingFaceAnswer = z.array(z.object({ label: z.string(), score: z.number() }));

export const ProtocolFailure = z.object({ error: z.string() });

const OutputTensor = z.object({
  name: z.string(),
  datatype: z.enum(["FP32", "BYTES"]),
  shape: z.array(z.int()),
  data: z.array(z.union([z.number(), z.string()])).optional(),
  parameters: z.object({ binary_data_size: z.int() }).optional(),
});

export const InferAnswer = z.object({
  model_name: z.string(),
  model_version: z.string(),
  parameters: z.object({ variant: z.string(), runtime: z.string() }),
  id: z.string().optional(),
  outputs: z.array(OutputTensor),
});

const Tensor = z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.int()) });
export const ModelMetadata = z.object({
  name: z.string(),
  versions: z.array(z.string()),
  platform: z.string(),
  inputs: z.array(Tensor),
  outputs: z.array(Tensor),
  parameters: z.object({ variant: z.string(), runtime: z.string() }),
});

const Nanoseconds = z.object({ count: z.int(), ns: z.int() });
export const ModelStatistics = z.object({
  model_stats: z.array(z.object({
    name: z.string(),
    version: z.string(),
    last_inference: z.int().describe("Milliseconds since 1970, 0 before the first."),
    inference_count: z.int(),
    execution_count: z.int(),
    inference_stats: z.record(z.string(), Nanoseconds),
    batch_stats: z.array(z.object({
      batch_size: z.int(),
      compute_input: Nanoseconds,
      compute_infer: Nanoseconds,
      compute_output: Nanoseconds,
    })),
    memory_usage: z.array(z.unknown()),
  })),
});

export const RepositoryIndex = z.array(z.object({
  name: z.string(),
  version: z.string(),
  state: z.enum(["LOADING", "READY", "UNAVAILABLE"]),
  reason: z.string(),
}));
