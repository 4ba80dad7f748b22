import { type Context, Hono } from "hono";
import type { Answer, Classifier, ClassifyQuery } from "../classifier.ts";
import type { ModelHost } from "../models/model_host.ts";
import { queueFull } from "../problem.ts";
import { readBody } from "../request_body.ts";
import { parseQuery } from "./classify_query.ts";

/** What the route works on. */
export interface ClassifyOptions {
  classifier: Classifier;
  host: ModelHost;
  /** Most bytes of a body. */
  maxBodyBytes: number;
}

/** `POST /v1/classify?top=k`: the raw bytes of one image to its k best labels. */
export function classifyRoute({ classifier, host, maxBodyBytes }: ClassifyOptions): Hono {
  return new Hono().post("/v1/classify", async (c) => {
    // Whatever can be refused without the body is refused before it is read.
    const query = parseQuery(c.req.query());
    host.find(query.model, query.version);
    if (classifier.full) throw queueFull();
    const bytes = await readBody(c.req.raw, maxBodyBytes);
    return await answerOne(c, classifier, bytes, query);
  });
}

async function answerOne(
  c: Context,
  classifier: Classifier,
  bytes: Uint8Array,
  query: ClassifyQuery,
): Promise<Response> {
  const answer = await classifier.classify(bytes, query, c.req.raw.signal);
  for (const [name, value] of Object.entries(answerHeaders(answer))) c.header(name, value);
  if (c.req.header("If-None-Match") === answer.etag) return c.body(null, 304);
  return c.json(answer.classification);
}

/** ETag, and where the time went (Server-Timing, W3C), for an answer that was not at hand. */
function answerHeaders({ classification: { timing }, etag, cached }: Answer) {
  const { queue_ms, decode_ms, inference_ms, total_ms } = timing;
  const stages = cached
    ? "cache;desc=hit"
    : `queue;dur=${queue_ms}, decode;dur=${decode_ms}, run;dur=${inference_ms}, ` +
      `total;dur=${total_ms}`;
  return { "ETag": etag, "Server-Timing": stages };
}
