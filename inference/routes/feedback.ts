import { Hono } from "hono";
import { z } from "zod";
import type { Classifier } from "../classifier.ts";
import type { Incoming } from "../feedback/incoming.ts";
import type { Log } from "../log.ts";
import type { ApiKeyVariables } from "../middleware/api_keys.ts";
import { noteImage } from "../middleware/noted_images.ts";
import type { RequestLogVariables } from "../middleware/request_log.ts";
import type { ModelHost } from "../models/model_host.ts";
import { ProblemError, queueFull } from "../problem.ts";
import type { BodyReader } from "../request_body.ts";
import { readImages } from "../request_images.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** A correction as JSON; a form has the same fields, and raw bytes have them in the address. */
export const FeedbackBody = z.object({
  image: z.string().min(1).describe("Base64, or a data URL in base64."),
  label: z.string().min(1).describe("What the image shows: one of the model's labels."),
  model: z.string().optional().describe("The model that answered; the first when left out."),
  version: z.string().optional().describe("The version that answered; the current when left out."),
});

/** The part of it that is not the image. */
export const FeedbackParameters = FeedbackBody.omit({ image: true }).partial();

export const FeedbackAnswer = z.object({
  model: z.string(),
  version: z.string(),
  label: z.string(),
  sha256: z.string().describe("Of the image's bytes."),
  stored: z.boolean().describe("False where the image had a label already: the first one stays."),
});

/** Whether the service takes corrections, and of which labels. */
export const FeedbackOffer = z.object({
  model: z.string(),
  labels: z.array(z.string()),
  new_labels: z.boolean().describe("Whether other labels are taken too."),
});

export interface FeedbackOptions {
  readonly classifier: Classifier;
  readonly host: ModelHost;
  readonly bodies: BodyReader;
  /** Undefined where the operator has not turned it on. */
  readonly incoming?: Incoming | undefined;
  /** Whether labels are taken that the model does not know. */
  readonly newLabels: boolean;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** A label that nobody has heard of may become a class, so it looks like one: words on one line. */
const NEW_LABEL = /^[\p{L}\p{N}][\p{L}\p{M}\p{N} ,.'()_-]{0,99}$/u;

type Variables = { Variables: RequestLogVariables & ApiKeyVariables };

/**
 * `POST /v1/feedback`: keeps an image with the label that a person says is right, for retraining to
 * find. `GET /v1/feedback`: which labels there are. Both are there only where the operator turned them
 * on, because an image is stored nowhere else.
 */
export function feedbackRoutes(options: FeedbackOptions): Hono<Variables> {
  const { host, newLabels } = options;
  const routes = new Hono<Variables>();
  routes.get("/v1/feedback", (c) => {
    requireOn(options);
    const { name, labels } = host.find(c.req.query("model")).manifest;
    return c.json({ model: name, labels, new_labels: newLabels }, 200, {
      "Cache-Control": "no-store",
    });
  });
  routes.post("/v1/feedback", async (c) => {
    const incoming = requireOn(options);
    const { classifier, bodies, log, metrics } = options;
    if (classifier.full) throw queueFull();
    const body = await bodies.read(c.req.raw);
    const { images, parameters } = await readImages(body, c.req.header("Content-Type") ?? "");
    const [image, ...others] = images;
    if (others.length > 0 || !("bytes" in image!)) {
      throw new ProblemError("unreadable-request", "Cannot read the feedback: expected one image");
    }
    const given = { ...parameters, ...c.req.query() };
    const label = requireLabel(
      given["label"],
      host.find(given["model"]).manifest.labels,
      newLabels,
    );
    // Also the proof that it is an image: nothing else is kept.
    const query = { top: 5, views: 1, threshold: 0, explain: false } as const;
    const asked = { ...query, model: given["model"], version: given["version"] };
    const answer = await classifier.classify(image.bytes, asked, {
      signal: c.req.raw.signal,
    });
    const { model, version, predictions } = answer.classification;
    noteImage(c, { model, version, stages: answer.stages });
    const correction = { model, image: image.bytes, label, version, answered: predictions };
    const { sha256, stored } = await incoming.keep(correction);
    metrics.feedback(model, stored ? "stored" : "known");
    log.info("feedback", { id: c.var.requestId, model, version, label, sha256, stored });
    return c.json({ model, version, label, sha256, stored }, stored ? 201 : 200);
  });
  return routes;
}

function requireOn({ incoming }: FeedbackOptions): Incoming {
  if (incoming !== undefined) return incoming;
  throw new ProblemError(
    "not-found",
    "Cannot take feedback: this service stores none (--feedback)",
  );
}

/** @throws {ProblemError} `unknown-label` */
function requireLabel(given: string | undefined, labels: readonly string[], newLabels: boolean) {
  const label = given?.trim() ?? "";
  if (labels.includes(label) || newLabels && NEW_LABEL.test(label)) return label;
  const reason = label === ""
    ? "it has no label"
    : newLabels
    ? "its label is no plain word or words of at most 100 characters"
    : "its label is none of the model's";
  throw new ProblemError("unknown-label", `Cannot take the feedback: ${reason}`);
}
