import { context, SpanStatusCode, trace } from "@opentelemetry/api";
import type { ImageWatcher } from "../classifier.ts";
import type { ImageWork } from "../image_work.ts";
import type { ServedModel } from "../models/served_model.ts";
import { toProblem } from "../problem.ts";
import { now, type Stage } from "./stages.ts";

/**
 * Spans of the work on images, below the span that Deno makes of each request where OTEL_DENO=true.
 * Their times were measured in the workers; a span is made on this thread once they are known, because
 * a worker that was ended could not send its own. Where tracing is off there is no active span, and this
 * costs one look.
 */
export class Spans implements ImageWatcher {
  readonly #tracer = trace.getTracer("topfive");

  answered(model: ServedModel, { stages, runs, pixels }: ImageWork, milliseconds: number): void {
    if (trace.getActiveSpan() === undefined) return;
    const [{ startedAt: arrivedAt }] = stages as readonly [Stage, ...Stage[]];
    const image = this.#tracer.startSpan("classify image", {
      startTime: arrivedAt,
      attributes: attributesOf(model),
    });
    const parent = trace.setSpan(context.active(), image);
    for (const { name, startedAt, milliseconds } of stages) {
      const attributes = name === "decode" && pixels !== undefined
        ? { "topfive.image.pixels": pixels }
        : name === "run"
        ? { "topfive.batch.size": Math.max(...runs.map(({ batch }) => batch)) }
        : {};
      this.#tracer.startSpan(name, { startTime: startedAt, attributes }, parent)
        .end(startedAt + milliseconds);
    }
    image.end(arrivedAt + milliseconds);
  }

  cached(model: ServedModel, milliseconds: number): void {
    if (trace.getActiveSpan() === undefined) return;
    const attributes = { ...attributesOf(model), "topfive.cache.hit": true };
    this.#tracer.startSpan("classify image", { startTime: now() - milliseconds, attributes }).end();
  }

  failed(model: ServedModel, error: unknown, milliseconds: number): void {
    if (trace.getActiveSpan() === undefined) return;
    const { problem } = toProblem(error);
    const attributes = { ...attributesOf(model), "error.type": problem };
    const span = this.#tracer.startSpan("classify image", {
      startTime: now() - milliseconds,
      attributes,
    });
    span.setStatus({ code: SpanStatusCode.ERROR, message: problem });
    span.end();
  }
}

function attributesOf({ manifest: { name, version } }: ServedModel) {
  return { "topfive.model": name, "topfive.model.version": version };
}

/** Gives Deno's span of the request its route (OpenTelemetry's conventions for HTTP) and our id. */
export function nameRequestSpan(method: string, route: string, requestId: string): void {
  const span = trace.getActiveSpan();
  if (span === undefined) return;
  span.updateName(`${method} ${route}`);
  span.setAttributes({ "http.route": route, "topfive.request.id": requestId });
}
