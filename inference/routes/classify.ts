import { Hono } from "hono";
import type { Classifier } from "../classifier.ts";
import { modelNotLoaded, ProblemError, queueFull } from "../problem.ts";
import { readBody } from "../request_body.ts";

/** Labels in an answer when the client does not say how many. */
const DEFAULT_TOP = 5;

/** What the route works on. */
export interface ClassifyOptions {
  /** The classifier of this moment; undefined while no model is loaded. */
  classifier: () => Classifier | undefined;
  /** Most bytes of a body. */
  maxBodyBytes: number;
}

/** `POST /v1/classify?top=k`: the raw bytes of one image to its k best labels. */
export function classifyRoute({ classifier, maxBodyBytes }: ClassifyOptions): Hono {
  return new Hono().post("/v1/classify", async (c) => {
    // Whatever can be refused without the body is refused before it is read.
    const top = parseTop(c.req.query("top"));
    const current = classifier();
    if (current === undefined) throw modelNotLoaded();
    if (current.full) throw queueFull();
    const bytes = await readBody(c.req.raw, maxBodyBytes);
    return c.json(await current.classify(bytes, top));
  });
}

/** Digits alone: `Number` would also take "1e3", "0x5", " 5" and "". */
function parseTop(value: string | undefined): number {
  if (value === undefined) return DEFAULT_TOP;
  const top = /^\d{1,9}$/.test(value) ? Number(value) : 0;
  if (top < 1) {
    throw new ProblemError(
      "invalid-parameter",
      `Cannot read top=${value}: expected a whole number from 1 to 999999999`,
    );
  }
  return top;
}
