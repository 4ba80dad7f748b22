import type { Context } from "hono";
import type { LoadStages } from "../models/open_worker.ts";
import type { Stage } from "../telemetry/stages.ts";

/** An image that a request brought and that was answered. */
export interface NotedImage {
  readonly model: string;
  readonly version: string;
  /** None where the answer was at hand. */
  readonly stages: readonly Stage[];
  /** Milliseconds until it was here, where the client named its address. */
  readonly fetchMs?: number | undefined;
  /** How the version was loaded, where this is the first that it answered. */
  readonly coldStart?: LoadStages | undefined;
}

/** What routes leave in the context for the log and for Server-Timing. */
export interface NotedImagesVariables {
  images?: readonly NotedImage[];
}

/** Notes an image that was answered. */
export function noteImage(c: Context, image: NotedImage): void {
  c.set("images", [...(c.get("images") as NotedImagesVariables["images"] ?? []), image]);
}

/** Milliseconds in which images were fetched, and undefined where none was. */
export function fetchMsOf(images: readonly NotedImage[]): number | undefined {
  const fetched = images.flatMap(({ fetchMs }) => fetchMs ?? []);
  return fetched.length === 0 ? undefined : Math.max(...fetched);
}
