import { type Context, Hono } from "hono";
import type { z } from "zod";
import { messageOf } from "../../shared/message_of.ts";
import type { Canaries } from "../canary/canaries.ts";
import type { Classifier } from "../classifier.ts";
import type { Log } from "../log.ts";
import type { ApiKeyVariables } from "../middleware/api_keys.ts";
import type { Guard } from "../middleware/guard.ts";
import { noteImage } from "../middleware/noted_images.ts";
import type { ModelHost } from "../models/model_host.ts";
import type { ServedModel } from "../models/served_model.ts";
import { ProblemError, PROBLEMS, queueFull, toProblem } from "../problem.ts";
import type { BodyReader } from "../request_body.ts";
import { packOutput, parseJson, parseRequest, ProtocolError } from "./binary.ts";
import { readInputs } from "./inputs.ts";
import { inputTensors, outputsOf, outputTensors } from "./outputs.ts";
import { IndexRequest, type InferRequest, LoadRequest, type OutputTensor } from "./schema.ts";
import { statisticsOf } from "./statistics.ts";
import config from "../deno.json" with { type: "json" };

export interface KserveOptions {
  readonly classifier: Classifier;
  readonly host: ModelHost;
  readonly canaries: Canaries;
  readonly bodies: BodyReader;
  readonly guard: Guard;
  readonly log: Log;
}

const EXTENSIONS = ["classification", "binary_tensor_data", "model_repository", "statistics"];

/**
 * The Open Inference Protocol v2 as KServe and Triton speak it: health, metadata and `infer`, with and
 * without a version, Triton's extensions, and how a candidate fares. Errors are `{"error": "…"}`.
 */
export function kserveRoutes(options: KserveOptions): Hono<{ Variables: ApiKeyVariables }> {
  const { host, guard } = options;
  const v2 = new Hono<{ Variables: ApiKeyVariables }>();
  v2.onError((error, c) => answerError(c, error, options.log));
  guard.protect(v2, { "/v2/models/*": "classify", "/v2/repository/models/*": "admin" });
  v2.get(
    "/v2",
    (c) => c.json({ name: "topfive", version: config.version, extensions: EXTENSIONS }),
  );
  v2.get("/v2/health/live", (c) => c.json({ live: true }));
  v2.get("/v2/health/ready", (c) => {
    host.find();
    return c.json({ live: true, ready: true });
  });
  v2.get("/v2/models/stats", (c) => c.json(statisticsOf(host.loaded())));
  for (const path of ["/v2/models/:model", "/v2/models/:model/versions/:version"]) {
    v2.get(path, (c) => c.json(describe(host, findModel(c, host))));
    v2.get(`${path}/ready`, (c) => {
      const { name } = findModel(c, host).manifest;
      return c.json({ name, ready: true });
    });
    v2.get(`${path}/stats`, (c) => c.json(statisticsOf(statisticsFor(c, host))));
    v2.post(`${path}/infer`, (c) => infer(c, options));
  }
  v2.get("/v2/models/:model/canary", (c) => {
    const { name } = findModel(c, host).manifest;
    return c.json(options.canaries.report(name), 200, { "Cache-Control": "no-store" });
  });
  v2.post("/v2/repository/index", async (c) => {
    const { ready } = await readOptional(c, options.bodies, IndexRequest);
    return c.json(host.states().filter(({ state }) => ready !== true || state === "READY"));
  });
  v2.post("/v2/repository/models/:model/:action{load|unload}", async (c) => {
    const { model, action } = c.req.param();
    const { parameters } = await readOptional(c, options.bodies, LoadRequest);
    const version = parameters?.version;
    if (action === "unload") host.unload(model!, version);
    else await load(host, model!, version);
    return c.json({});
  });
  return v2;
}

/** A JSON body that may be left out. */
async function readOptional<Body>(
  c: Context,
  bodies: BodyReader,
  schema: z.ZodType<Body>,
): Promise<Body> {
  const body = await bodies.read(c.req.raw).catch((error) => {
    if (error instanceof ProblemError && error.problem === "empty-body") return undefined;
    throw error;
  });
  return body === undefined ? schema.parse({}) : parseJson(body, schema);
}

/** What is wrong with the store's version is the asker's to know: an admin asked. */
async function load(host: ModelHost, model: string, version: string | undefined): Promise<void> {
  try {
    await host.load(model, version);
  } catch (error) {
    throw new ProtocolError(messageOf(error));
  }
}

function findModel(c: Context, host: ModelHost): ServedModel {
  return host.find(c.req.param("model"), c.req.param("version"));
}

/** All loaded versions of a model where the address names none. */
function statisticsFor(c: Context, host: ModelHost): ServedModel[] {
  const model = findModel(c, host);
  if (c.req.param("version") !== undefined) return [model];
  return host.loaded().filter(({ manifest }) => manifest.name === model.manifest.name);
}

function describe(host: ModelHost, model: ServedModel) {
  const { manifest, variant, runtime } = model;
  const versions = host.list().find(({ name }) => name === manifest.name)?.versions ?? [];
  return {
    name: manifest.name,
    versions,
    platform: "onnx_onnxv1",
    inputs: inputTensors(manifest),
    outputs: outputTensors(manifest),
    parameters: { variant, runtime },
  };
}

async function infer(c: Context, options: KserveOptions): Promise<Response> {
  const { classifier, host, bodies } = options;
  const model = findModel(c, host);
  if (classifier.full) throw queueFull();
  const body = await bodies.read(c.req.raw);
  const header = c.req.header("Inference-Header-Content-Length");
  const { request, raw } = parseRequest(body, header);
  const [input, ...others] = request.inputs;
  if (others.length > 0) throw new ProtocolError("the model has one input");
  const inputs = readInputs(input!, raw.get(input!.name), model);
  const sources = inputs.kind === "images" ? inputs.images : inputs.tensors;
  const answers = await Promise.all(
    sources.map((source) => classifier.probabilities(model, source, c.req.raw.signal)),
  );
  const { name, version } = model.manifest;
  for (const { stages } of answers) noteImage(c, { model: name, version, stages });
  const rows = answers.map(({ answer }) => answer);
  return answer(request, model, outputsOf(request, model.manifest, rows));
}

/** JSON, with the outputs that are asked for in binary behind it. */
function answer(
  request: InferRequest,
  { manifest: { name, version }, variant, runtime }: ServedModel,
  outputs: readonly OutputTensor[],
): Response {
  const packed: Uint8Array<ArrayBuffer>[] = [];
  const described = outputs.map((output) => {
    const { values, ...tensor } = output;
    const asked = request.outputs?.find((wanted) => wanted.name === output.name)?.parameters;
    const binary = asked?.["binary_data"] ?? request.parameters?.["binary_data_output"];
    if (binary !== true) return { ...tensor, data: [...values] };
    const bytes = packOutput(output);
    packed.push(bytes);
    return { ...tensor, parameters: { binary_data_size: bytes.length } };
  });
  const id = request.id === undefined ? {} : { id: request.id };
  const json = new TextEncoder().encode(
    JSON.stringify({
      model_name: name,
      model_version: version,
      ...id,
      parameters: { variant, runtime },
      outputs: described,
    }),
  );
  const headers = packed.length === 0 ? { "Content-Type": "application/json" } : {
    "Content-Type": "application/octet-stream",
    "Inference-Header-Content-Length": String(json.length),
  };
  return new Response(new Blob([json, ...packed]), { headers });
}

function answerError(c: Context, error: unknown, log: Log): Response {
  if (error instanceof ProtocolError) {
    c.set("problem", "unreadable-request");
    return c.json({ error: error.message }, 400);
  }
  const problem = toProblem(error);
  c.set("problem", problem.problem);
  if (problem.problem === "internal-error") {
    log.error("failed", {
      id: c.get("requestId") ?? "",
      cause: error instanceof Error ? error.stack ?? error.message : "",
    });
  }
  return new Response(JSON.stringify({ error: problem.message }), {
    status: PROBLEMS[problem.problem].status,
    headers: { ...problem.headers, "Content-Type": "application/json" },
  });
}
