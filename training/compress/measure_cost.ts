import { resolve } from "node:path";
import { z } from "zod";
import { type Cost, parse } from "../../shared/manifest.ts";
import { registerModel, type UnpublishedModel } from "../../shared/model_registry.ts";
import { DirectoryStore } from "../../shared/object_store/directory.ts";

/** The start script: it gives the service's own rights to the service's own process. */
const TOPFIVE = resolve(import.meta.dirname!, "../../topfive");

/** What is used of the trial's report, see `topfive try --help`. */
const ReportSchema = z.object({
  passed: z.boolean(),
  reason: z.string().nullable(),
  runtime: z.string().nullable(),
  firstAnswerMs: z.number().nullable(),
  inferenceMs: z.object({ p50: z.number() }).nullable(),
  peakMemory: z.number().nullable(),
});

/** Everything a variant costs in the real service, in a fresh process, by its name. */
export async function measureCosts(
  model: UnpublishedModel,
  names: readonly string[],
  onProgress: (name: string) => void,
): Promise<Map<string, Cost>> {
  const folder = await Deno.makeTempDir({ prefix: "topfive-compress-" });
  try {
    const { name, version } = await registerModel(new DirectoryStore(folder), model);
    const costs = new Map<string, Cost>();
    for (const variant of names) {
      onProgress(variant);
      costs.set(variant, await measure(`${name}@${version}`, variant, folder));
    }
    return costs;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function measure(model: string, variant: string, store: string): Promise<Cost> {
  const { stdout, stderr } = await new Deno.Command(TOPFIVE, {
    args: ["try", model, "--store", store, "--variant", variant, "--requests", "10"],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const [text, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim());
  if (!text) throw new Error(`Cannot measure ${variant}: ${errors}`);
  const report = parse("trial's report", ReportSchema, text);
  const { passed, reason, runtime, firstAnswerMs, inferenceMs, peakMemory } = report;
  if (!passed || runtime === null || firstAnswerMs === null || inferenceMs === null) {
    throw new Error(`Cannot measure ${variant} in the service: ${reason}`);
  }
  if (peakMemory === null) {
    throw new Error(`Cannot measure ${variant}: this system does not say what a process holds`);
  }
  return { runtime, firstAnswerMs, inferenceMs: inferenceMs.p50, peakMemory };
}
