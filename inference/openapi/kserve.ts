import { z } from "zod";
import { CanaryReportSchema } from "../../shared/registry/canary.ts";
import { IndexRequest, InferRequest, LoadRequest } from "../kserve/schema.ts";
import { InferAnswer, ModelMetadata, ModelStatistics, RepositoryIndex } from "./answers.ts";
import { answer, Bytes, failures, json, Model, type Operation } from "./parts.ts";

const Version = Model.extend({ version: z.string() });
const Live = z.object({ live: z.boolean() });
const Nothing = z.object({});

/** What a model answers, whether or not a version is named. */
const MODEL: Operation[] = [
  ["/v2/models/{model}", Model] as const,
  [
    "/v2/models/{model}/versions/{version}",
    Version,
  ] as const,
].flatMap(([path, params]): Operation[] => [
  {
    method: "get",
    path,
    summary: "A model's inputs and outputs",
    request: { params },
    responses: { 200: answer("Metadata", ModelMetadata), ...failures([401, 403, 404, 429, 503]) },
  },
  {
    method: "get",
    path: `${path}/ready`,
    summary: "A model can answer",
    request: { params },
    responses: {
      200: answer("Ready", z.object({ name: z.string(), ready: z.boolean() })),
      ...failures([401, 403, 404, 429, 503]),
    },
  },
  {
    method: "get",
    path: `${path}/stats`,
    summary: "How often a model answered, and how long that took",
    request: { params },
    responses: {
      200: answer("Statistics", ModelStatistics),
      ...failures([401, 403, 404, 429, 503]),
    },
  },
  {
    method: "post",
    path: `${path}/infer`,
    summary: "Tensors or encoded images to probabilities or labels",
    request: {
      params,
      body: { content: { ...json(InferRequest), "application/octet-stream": { schema: Bytes } } },
    },
    responses: {
      200: {
        description:
          "The outputs that were asked for; those asked for in binary lie behind the JSON",
        content: { ...json(InferAnswer), "application/octet-stream": { schema: Bytes } },
      },
      ...failures([400, 401, 403, 404, 408, 413, 415, 422, 429, 500, 503]),
    },
  },
]);

/** The Open Inference Protocol v2 with Triton's extensions. */
export const KSERVE: Operation[] = [
  {
    method: "get",
    path: "/v2",
    summary: "The server and its extensions",
    responses: {
      200: answer(
        "Server",
        z.object({ name: z.string(), version: z.string(), extensions: z.array(z.string()) }),
      ),
    },
  },
  {
    method: "get",
    path: "/v2/health/live",
    summary: "The process is alive",
    responses: { 200: answer("Alive", Live) },
  },
  {
    method: "get",
    path: "/v2/health/ready",
    summary: "A model is loaded",
    responses: {
      200: answer("Ready", Live.extend({ ready: z.boolean() })),
      ...failures([503]),
    },
  },
  {
    method: "get",
    path: "/v2/models/stats",
    summary: "Statistics of all models",
    responses: { 200: answer("Statistics", ModelStatistics), ...failures([401, 403, 429]) },
  },
  ...MODEL,
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
    method: "post",
    path: "/v2/repository/index",
    summary: "Every version that is loaded, loading or refused",
    request: { body: { content: json(IndexRequest), required: false } },
    responses: {
      200: answer("States", RepositoryIndex),
      ...failures([400, 408, 413]),
    },
  },
  ...(["load", "unload"] as const).map((action): Operation => ({
    method: "post",
    path: `/v2/repository/models/{model}/${action}`,
    summary: action === "load"
      ? "Load what the store names, or a version (scope admin)"
      : "End a model, or a version of it (scope admin)",
    request: { params: Model, body: { content: json(LoadRequest), required: false } },
    responses: {
      200: answer("Done", Nothing),
      ...failures([400, 401, 403, 404, 408, 413, 429]),
    },
  })),
];
