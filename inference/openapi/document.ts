import { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import config from "../deno.json" with { type: "json" };
import { JsonBody } from "../request_images.ts";
import { ClassifyParameters } from "../routes/classify_query.ts";
import {
  FeedbackAnswer,
  FeedbackBody,
  FeedbackOffer,
  FeedbackParameters,
} from "../routes/feedback.ts";
import { HuggingFaceBody } from "../routes/hugging_face.ts";
import { ClassificationAnswer, HuggingFaceAnswer, Results } from "./answers.ts";
import { KSERVE } from "./kserve.ts";
import { answer, Bytes, json, Model, type Operation, problems } from "./parts.ts";

const OWN: Operation[] = [
  {
    method: "post",
    path: "/v1/classify",
    summary: "Images to their best labels",
    request: {
      query: ClassifyParameters,
      body: {
        content: {
          "application/octet-stream": { schema: Bytes },
          "multipart/form-data": { schema: z.object({ file: z.array(Bytes) }) },
          ...json(JsonBody),
        },
      },
    },
    responses: {
      200: {
        description: "The answer, or a list where several images were sent",
        content: {
          ...json(z.union([ClassificationAnswer, Results])),
          "text/plain": { schema: z.string() },
          "text/html": { schema: z.string() },
        },
      },
      304: { description: "The answer has the ETag of If-None-Match" },
      ...problems([400, 401, 403, 404, 408, 413, 415, 422, 429, 500, 503]),
    },
  },
  {
    method: "post",
    path: "/v1/feedback",
    summary: "Keeps an image with the label that a person says is right, where that is turned on",
    request: {
      query: FeedbackParameters,
      body: {
        content: {
          "application/octet-stream": { schema: Bytes },
          "multipart/form-data": {
            schema: FeedbackBody.omit({ image: true }).extend({ file: Bytes }),
          },
          ...json(FeedbackBody),
        },
      },
    },
    responses: {
      200: answer("The image had a label already", FeedbackAnswer),
      201: answer("Kept", FeedbackAnswer),
      ...problems([400, 401, 403, 404, 408, 413, 415, 422, 429, 500, 503]),
    },
  },
  {
    method: "get",
    path: "/v1/feedback",
    summary: "The labels of a model, where feedback is turned on",
    request: { query: FeedbackParameters.pick({ model: true }) },
    responses: {
      200: answer("Labels", FeedbackOffer),
      ...problems([401, 403, 404, 429, 503]),
    },
  },
  {
    method: "post",
    path: "/hf/{model}",
    summary: "Hugging Face's image classification",
    request: {
      params: Model,
      body: {
        content: { "application/octet-stream": { schema: Bytes }, ...json(HuggingFaceBody) },
      },
    },
    responses: {
      200: answer("Labels, best first", HuggingFaceAnswer),
      ...problems([400, 401, 403, 404, 408, 413, 415, 422, 429, 500, 503]),
    },
  },
  {
    method: "get",
    path: "/healthz",
    summary: "The process is alive",
    responses: { 200: answer("Alive", z.object({ status: z.literal("alive") })) },
  },
  {
    method: "get",
    path: "/readyz",
    summary: "A model is loaded",
    responses: {
      200: answer(
        "Ready",
        z.object({ status: z.literal("ready"), model: z.string(), version: z.string() }),
      ),
      ...problems([503]),
    },
  },
  {
    method: "get",
    path: "/metrics",
    summary: "Counters and durations for Prometheus",
    responses: {
      200: { description: "Metrics", content: { "text/plain": { schema: z.string() } } },
      ...problems([401, 403, 429]),
    },
  },
];

/** The operator decides whether a key is needed: `{}` is none. Nobody is asked for one by these. */
const SECURITY = [{}, { bearer: [] }, { header: [] }];
const OPEN = new Set(["/healthz", "/readyz", "/v2", "/v2/health/live", "/v2/health/ready"]);

/** The service as OpenAPI 3.1, from the schemas that check requests. */
export function openApiDocument() {
  const api = new OpenAPIHono();
  for (const operation of [...OWN, ...KSERVE]) {
    const security = OPEN.has(operation.path) ? [] : SECURITY;
    api.openAPIRegistry.registerPath({ ...operation, tags: [tagOf(operation.path)], security });
  }
  api.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "The API key that the operator gave you.",
  });
  api.openAPIRegistry.registerComponent("securitySchemes", "header", {
    type: "apiKey",
    in: "header",
    name: "X-API-Key",
  });
  return api.getOpenAPI31Document({
    openapi: "3.1.0",
    info: { title: "topfive", version: config.version },
  });
}

function tagOf(path: string): string {
  if (path.startsWith("/v1/")) return "Images";
  if (path.startsWith("/hf/")) return "Hugging Face";
  return path.startsWith("/v2") ? "Open Inference Protocol" : "Operation";
}
