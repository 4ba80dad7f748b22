import { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { CanaryReportSchema } from "../../shared/registry/canary.ts";
import config from "../deno.json" with { type: "json" };
import { InferRequest } from "../kserve/schema.ts";
import { PROBLEMS } from "../problem.ts";
import { JsonBody } from "../request_images.ts";
import { ClassifyParameters } from "../routes/classify_query.ts";
import { HuggingFaceBody } from "../routes/hugging_face.ts";
import {
  ClassificationAnswer,
  HuggingFaceAnswer,
  InferAnswer,
  ModelMetadata,
  Problem,
  ProtocolFailure,
  Results,
} from "./answers.ts";

type Path = Parameters<OpenAPIHono["openAPIRegistry"]["registerPath"]>[0];

const Bytes = z.string().meta({ format: "binary" });
const Model = z.object({ model: z.string() });
const json = (schema: z.ZodType) => ({ "application/json": { schema } });
const answer = (description: string, schema: z.ZodType) => ({ description, content: json(schema) });

/** Every status that a problem has, each with the titles of its problems. */
function problems(statuses: readonly number[]): Path["responses"] {
  return Object.fromEntries(statuses.map((status) => {
    const titles = Object.values(PROBLEMS).filter((problem) => problem.status === status)
      .map(({ title }) => title);
    return [status, {
      description: titles.join("; "),
      content: { "application/problem+json": { schema: Problem } },
    }];
  }));
}

function failures(statuses: readonly number[]): Path["responses"] {
  return Object.fromEntries(
    statuses.map((status) => [status, answer("What went wrong", ProtocolFailure)]),
  );
}

const paths: Path[] = [
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
    path: "/v2/models/{model}",
    summary: "A model's inputs and outputs",
    request: { params: Model },
    responses: { 200: answer("Metadata", ModelMetadata), ...failures([401, 403, 404, 429, 503]) },
  },
  {
    method: "post",
    path: "/v2/models/{model}/infer",
    summary: "Open Inference Protocol v2",
    request: { params: Model, body: { content: json(InferRequest) } },
    responses: {
      200: answer("The outputs that were asked for", InferAnswer),
      ...failures([400, 401, 403, 404, 408, 413, 415, 422, 429, 503]),
    },
  },
  {
    method: "get",
    path: "/v2/models/{model}/canary",
    summary: "How a candidate fares beside the champion",
    request: { params: Model },
    responses: {
      200: answer("Counts", CanaryReportSchema),
      ...failures([401, 403, 404, 429, 503]),
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
];

/** The service as OpenAPI 3.1, from the schemas that check requests. */
export function openApiDocument() {
  const api = new OpenAPIHono();
  for (const path of paths) api.openAPIRegistry.registerPath(path);
  return api.getOpenAPI31Document({
    openapi: "3.1.0",
    info: { title: "topfive", version: config.version },
  });
}
