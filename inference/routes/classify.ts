import { type Context, Hono } from "hono";
import { accepts } from "hono/accepts";
import type { Answer, Classification, Classifier } from "../classifier.ts";
import type { ImageFetcher } from "../fetch_image/image_fetcher.ts";
import { noteImage } from "../middleware/noted_images.ts";
import type { ModelHost } from "../models/model_host.ts";
import { PROBLEMS, queueFull, toProblem } from "../problem.ts";
import type { BodyReader } from "../request_body.ts";
import { type NamedImage, readImages } from "../request_images.ts";
import { parseQuery } from "./classify_query.ts";
import { asHtml, asText, type Result } from "./classify_formats.ts";

/** What the route works on. */
export interface ClassifyOptions {
  classifier: Classifier;
  host: ModelHost;
  bodies: BodyReader;
  /** For images that are named by address. */
  fetcher: ImageFetcher;
}

const FORMATS = ["application/json", "text/html", "text/plain"];

/** Answers one image of a request. */
type Ask = (image: NamedImage) => Promise<Answer>;

/**
 * `POST /v1/classify`: one image (raw bytes, a form with one file, JSON with `image` or `url`) to its
 * best labels; several (a form, JSON with `images` or `urls`) to a list in which each has its own
 * answer or error.
 */
export function classifyRoute({ classifier, host, bodies, fetcher }: ClassifyOptions): Hono {
  return new Hono().post("/v1/classify", async (c) => {
    // Whatever can be refused without the body is refused before it is read.
    const asked = parseQuery(c.req.query());
    host.find(asked.model, asked.version);
    if (classifier.full) throw queueFull();
    const body = await bodies.read(c.req.raw);
    const { images, several, parameters } = await readImages(
      body,
      c.req.header("Content-Type") ?? "",
    );
    const query = parseQuery({ ...parameters, ...c.req.query() });
    const { signal } = c.req.raw;
    const ask: Ask = async (image) => {
      const started = performance.now();
      const bytes = "url" in image ? await fetcher.fetch(image.url, signal) : image.bytes;
      const fetchMs = "url" in image ? performance.now() - started : undefined;
      const answer = await classifier.classify(bytes, query, { signal, move: true });
      const { classification: { model, version }, stages, coldStart } = answer;
      noteImage(c, { model, version, stages, fetchMs, coldStart });
      return answer;
    };
    if (!several) return await answerOne(c, images[0]!, ask);
    const results = await Promise.all(images.map((image) => resultOf(image, ask)));
    return respond(c, results, { results });
  });
}

async function answerOne(c: Context, image: NamedImage, ask: Ask): Promise<Response> {
  const answer = await ask(image);
  c.header("ETag", answer.etag);
  if (c.req.header("If-None-Match") === answer.etag) return c.body(null, 304);
  return respond(c, [{ name: image.name, ...answer.classification }], answer.classification);
}

/** One of several images: what is wrong with it is its own answer, and not the request's. */
async function resultOf(image: NamedImage, ask: Ask): Promise<Result> {
  const { name } = image;
  try {
    return { name, ...(await ask(image)).classification };
  } catch (error) {
    const { problem, message } = toProblem(error);
    // Our own fault is the request's fault: it belongs into the log.
    if (problem === "internal-error") throw error;
    const { status, title } = PROBLEMS[problem];
    return { name, error: { type: `/problems/${problem}`, title, status, detail: message } };
  }
}

function respond(
  c: Context,
  results: readonly Result[],
  json: Classification | { results: Result[] },
): Response | Promise<Response> {
  c.header("Vary", "Accept");
  const format = accepts(c, { header: "Accept", supports: FORMATS, default: FORMATS[0]! });
  if (format === "text/html") return c.html(asHtml(results));
  if (format === "text/plain") return c.text(asText(results));
  return c.json(json);
}
