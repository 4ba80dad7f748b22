import type { MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import type { LoadStages } from "../models/open_worker.ts";
import { total } from "../telemetry/stages.ts";
import { fetchMsOf, type NotedImagesVariables } from "./noted_images.ts";

/**
 * Says in Server-Timing (W3C) where the time of an answer went, all of its images together: the
 * slowest fetch of one that was named by address, waiting, decoding, preprocessing, the network's runs. The first answer of a version that was just loaded also
 * has the stages of its loading. `total` is the whole request, its body's way here included.
 *
 * @example
 * ```ts
 * app.use(serverTiming());
 * ```
 */
export function serverTiming(): MiddlewareHandler<{ Variables: NotedImagesVariables }> {
  return createMiddleware<{ Variables: NotedImagesVariables }>(async (c, next) => {
    const started = performance.now();
    await next();
    const { images } = c.var;
    if (images === undefined) return;
    const stages = images.flatMap((image) => image.stages);
    const coldStart = images.find((image) => image.coldStart !== undefined)?.coldStart;
    const cached = images.some((image) => image.stages.length === 0);
    const fetchMs = fetchMsOf(images);
    const parts = [
      ...(fetchMs === undefined ? [] : [duration("fetch", fetchMs)]),
      ...(cached ? ["cache;desc=hit"] : []),
      ...(stages.length === 0 ? [] : ["queue", "decode", "preprocess", "run"] as const)
        .map((name) => duration(name, total(stages, name))),
      duration("total", performance.now() - started),
      ...(coldStart === undefined ? [] : loadTimings(coldStart)),
    ];
    c.header("Server-Timing", parts.join(", "));
  });
}

/** The stages of a cold start as metrics of Server-Timing: `load-session;dur=120`. */
export function loadTimings(stages: LoadStages): string[] {
  return Object.entries(stages).map(([name, milliseconds]) =>
    duration(`load-${name.replace(/_ms$/, "")}`, milliseconds)
  );
}

export function duration(name: string, milliseconds: number): string {
  return `${name};dur=${Math.round(milliseconds * 100) / 100}`;
}
