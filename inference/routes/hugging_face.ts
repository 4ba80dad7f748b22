import { Hono } from "hono";
import { z } from "zod";
import type { Classifier } from "../classifier.ts";
import { noteImage } from "../middleware/noted_images.ts";
import type { ModelHost } from "../models/model_host.ts";
import { ProblemError, queueFull } from "../problem.ts";
import type { BodyReader } from "../request_body.ts";
import { readBase64 } from "../request_images.ts";

/** The image-classification task of Hugging Face's inference API; other fields are ignored. */
export const HuggingFaceBody = z.object({
  inputs: z.string().min(1),
  parameters: z.object({
    top_k: z.int().positive().optional(),
    /** The network's own probabilities are the only ones there are: "none" and "sigmoid" are refused. */
    function_to_apply: z.enum(["softmax", "sigmoid", "none"]).nullish(),
  }).nullish(),
});

/** Answers when the client does not say how many; Hugging Face's own default. */
const DEFAULT_TOP = 5;

/**
 * `POST /hf/{model}`: raw image bytes, or JSON with `inputs` in base64, to `[{label, score}]`, best
 * first. `@huggingface/inference` takes the address as its `endpointUrl`.
 */
export function huggingFaceRoute(
  { classifier, host, bodies }: {
    classifier: Classifier;
    host: ModelHost;
    bodies: BodyReader;
  },
): Hono {
  return new Hono().post("/hf/:model", async (c) => {
    const model = c.req.param("model");
    host.find(model);
    if (classifier.full) throw queueFull();
    const body = await bodies.read(c.req.raw);
    const isJson = c.req.header("Content-Type")?.startsWith("application/json") === true;
    const { bytes, top } = isJson ? readJson(body) : { bytes: body, top: DEFAULT_TOP };
    const query = { top, model, views: 1, threshold: 0, explain: false } as const;
    const { classification, stages } = await classifier.classify(bytes, query, {
      signal: c.req.raw.signal,
      move: true,
    });
    noteImage(c, { model: classification.model, version: classification.version, stages });
    return c.json(
      classification.predictions.map(({ label, probability }) => ({ label, score: probability })),
    );
  });
}

function readJson(body: Uint8Array): { bytes: Uint8Array<ArrayBuffer>; top: number } {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(body));
  } catch (cause) {
    throw unreadable("the JSON is broken", cause);
  }
  const result = HuggingFaceBody.safeParse(value);
  if (!result.success) throw unreadable(result.error.issues[0]!.message);
  const { inputs, parameters } = result.data;
  const wanted = parameters?.function_to_apply ?? "softmax";
  if (wanted !== "softmax") throw unreadable(`function_to_apply=${wanted} cannot be had`);
  return { bytes: readBase64(inputs), top: parameters?.top_k ?? DEFAULT_TOP };
}

function unreadable(reason: string, cause?: unknown): ProblemError {
  return new ProblemError("unreadable-request", `Cannot read the request: ${reason}`, { cause });
}
