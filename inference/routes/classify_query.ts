import type { ClassifyQuery } from "../classifier.ts";
import { ProblemError } from "../problem.ts";

/** Labels in an answer when the client does not say how many. */
const DEFAULT_TOP = 5;

/**
 * The question in a request's parameters; those of other names are left to others.
 *
 * @throws {ProblemError} `invalid-parameter`
 */
export function parseQuery(given: Readonly<Record<string, string | undefined>>): ClassifyQuery {
  const views = parseViews(given["views"]);
  const explain = parseSwitch("explain", given["explain"]);
  if (explain && views === 10) throw invalid("explain", "1", "views=1 with it");
  return {
    top: parseTop(given["top"]),
    model: given["model"] || undefined,
    version: given["version"] || undefined,
    views,
    threshold: parseThreshold(given["threshold"]),
    explain,
  };
}

/** Digits alone: `Number` would also take "1e3", "0x5", " 5" and "". */
function parseTop(value: string | undefined): number {
  if (value === undefined) return DEFAULT_TOP;
  const top = /^\d{1,9}$/.test(value) ? Number(value) : 0;
  if (top < 1) throw invalid("top", value, "a whole number from 1 to 999999999");
  return top;
}

function parseViews(value: string | undefined): 1 | 10 {
  if (value === undefined || value === "1") return 1;
  if (value === "10") return 10;
  throw invalid("views", value, "1 or 10");
}

function parseThreshold(value: string | undefined): number {
  if (value === undefined) return 0;
  const threshold = /^\d{0,3}(\.\d{1,12})?$/.test(value) && value !== "" ? Number(value) : NaN;
  if (threshold >= 0 && threshold <= 1) return threshold;
  throw invalid("threshold", value, "a number from 0 to 1");
}

function parseSwitch(name: string, value: string | undefined): boolean {
  if (value === undefined || value === "0" || value === "false") return false;
  if (value === "1" || value === "true") return true;
  throw invalid(name, value, "0 or 1");
}

function invalid(name: string, value: string, expected: string): ProblemError {
  return new ProblemError(
    "invalid-parameter",
    `Cannot read ${name}=${value}: expected ${expected}`,
  );
}
