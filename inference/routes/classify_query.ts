import { z } from "zod";
import type { ClassifyQuery } from "../classifier.ts";
import { ProblemError } from "../problem.ts";

/** Labels in an answer when the client does not say how many. */
const DEFAULT_TOP = 5;

/** Parameters arrive as text. Digits alone: `Number` would also take "1e3", "0x5", " 5" and "". */
const Top = z.string().regex(/^0*[1-9]\d{0,8}$/, "expected a whole number from 1 to 999999999")
  .transform(Number);
const Threshold = z.string().regex(
  /^(0(\.\d{1,12})?|1(\.0{1,12})?)$/,
  "expected a number from 0 to 1",
)
  .transform(Number);
const Switch = z.enum(["0", "1", "false", "true"], "expected 0 or 1")
  .transform((value) => value === "1" || value === "true");
const Views = z.enum(["1", "10"], "expected 1 or 10").transform((value): 1 | 10 =>
  value === "10" ? 10 : 1
);

/** The question in the address of `POST /v1/classify`; unknown parameters are left to others. */
export const ClassifyParameters = z.object({
  top: Top.optional().describe("Labels in the answer, 5 when left out; all when there are fewer."),
  model: z.string().optional().describe("The model that answers; the first when left out."),
  version: z.string().optional().describe("A loaded version of it; the current when left out."),
  views: Views.optional().describe("10 averages corners, centre and their reflections."),
  threshold: Threshold.optional().describe("Labels less probable are left out."),
  explain: Switch.optional().describe("1 adds a heat map of what counted; not with views=10."),
});

/**
 * The question in a request's parameters.
 *
 * @throws {ProblemError} `invalid-parameter`
 */
export function parseQuery(given: Readonly<Record<string, string | undefined>>): ClassifyQuery {
  const result = ClassifyParameters.safeParse(given);
  if (!result.success) {
    const [issue] = result.error.issues;
    const name = String(issue!.path[0]);
    throw invalid(`${name}=${given[name]}: ${issue!.message}`);
  }
  const { top, model, version, views, threshold, explain } = result.data;
  if (explain && views === 10) throw invalid("explain=1: expected views=1 with it");
  return {
    top: top ?? DEFAULT_TOP,
    model: model || undefined,
    version: version || undefined,
    views: views ?? 1,
    threshold: threshold ?? 0,
    explain: explain ?? false,
  };
}

function invalid(what: string): ProblemError {
  return new ProblemError("invalid-parameter", `Cannot read ${what}`);
}
