/** A run's `report.html`: one file with everything in it, which asks nothing of the network. */
import { basename, join, resolve } from "node:path";
import plots from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import plotStyle from "uplot/dist/uPlot.min.css" with { type: "text" };
import { findCheckpoint } from "../checkpoint/checkpoint_folder.ts";
import { readCheckpoint } from "../checkpoint/checkpoint.ts";
import { type EvaluationDetails, readEvaluationDetails } from "../evaluation/evaluation_details.ts";
import { type Metrics, parseMetrics } from "../metrics/step_metrics.ts";
import { MODELS } from "../models/models.ts";
import { readRun, type Run } from "../run_folder.ts";
import { writeAtomically } from "../write_atomically.ts";
import { type FilterSheet, firstLayerFilters } from "./filters.ts";
import { type KernelTime, kernelTimesOf } from "./kernel_times.ts";
import style from "./page.css" with { type: "text" };
import page from "./page.html" with { type: "text" };
import script from "./page.js" with { type: "text" };

/** What the page is told of a run; pictures are PNGs in base64. */
export interface ReportedRun {
  readonly name: string;
  readonly run: Run;
  readonly metrics: Metrics;
  readonly filters: Omit<FilterSheet, "png"> & { readonly png: string } | null;
  readonly evaluation: EvaluationDetails | null;
  readonly mistakesPng: string | null;
  readonly kernels: readonly KernelTime[] | null;
}

/**
 * @param options weights: whether to read the best checkpoint for its filters; large networks' take
 * a moment
 * @throws {Error} where the folder holds no run.
 */
export async function readReportedRun(
  folder: string,
  { weights }: { readonly weights: boolean },
): Promise<ReportedRun> {
  const run = await readRun(folder);
  const metrics = parseMetrics(await readText(join(folder, "metrics.jsonl")) ?? "");
  const filters = weights ? await readFilters(folder, run) : null;
  const evaluated = await readEvaluationDetails(folder);
  const trace = await readText(join(folder, "trace.json"));
  return {
    name: basename(resolve(folder)),
    run,
    metrics,
    filters: filters && { ...filters, png: filters.png.toBase64() },
    evaluation: evaluated?.details ?? null,
    mistakesPng: evaluated?.mistakes?.toBase64() ?? null,
    kernels: trace === null ? null : kernelTimesOf(JSON.parse(trace)),
  };
}

async function readFilters(folder: string, run: Run): Promise<FilterSheet | null> {
  const path = await findCheckpoint(folder, "best");
  if (path === null) return null;
  const { parameters } = await readCheckpoint(path);
  const graph = MODELS[run.config.model].build(run.classes.length, run.config);
  return firstLayerFilters(graph, parameters);
}

async function readText(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** One page of one run, or of several beside each other. */
export function renderReport(runs: readonly ReportedRun[]): string {
  const title = runs.length === 1
    ? `${runs[0]!.name}: ${runs[0]!.run.config.model}`
    : `${runs.length} runs compared`;
  // In a script element "<" begins nothing that could end it.
  const data = JSON.stringify({ runs }).replaceAll("<", "\\u003c");
  const parts: Record<string, string> = {
    TITLE_HERE: title.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`),
    STYLE_HERE: `<style>${plotStyle}${style}</style>`,
    SCRIPTS_HERE: `<script type="application/json" id="runs">${data}</script>
<script>${plots}</script>
<script>${script}</script>`,
  };
  return page.replace(/[A-Z]+_HERE/g, (mark) => parts[mark]!);
}

/** Writes the page of one run or of several. */
export async function writeReport(
  folders: readonly string[],
  out: string,
  options: { readonly weights: boolean } = { weights: true },
): Promise<void> {
  const runs = await Promise.all(folders.map((folder) => readReportedRun(folder, options)));
  await writeAtomically(out, [new TextEncoder().encode(renderReport(runs))]);
}
