import { join, resolve } from "node:path";
import { z } from "zod";
import { parse } from "../../../shared/manifest.ts";
import { publishModel } from "../../../shared/model_registry.ts";
import { DirectoryStore } from "../../../shared/object_store/directory.ts";
import type { TrialResult } from "../gate/trial_checks.ts";
import type { Stage } from "../stage.ts";
import { readExported } from "./export.ts";

export type TryOutput = TrialResult;

/** The start script: it gives the service's own rights to the service's own process. */
const TOPFIVE = resolve(import.meta.dirname!, "../../../topfive");

/** What is used of the trial's report, see `topfive try --help`. */
const ReportSchema = z.object({
  loaded: z.boolean(),
  selfTest: z.enum(["passed", "failed", "none"]).nullable(),
  reason: z.string().nullable(),
  timedOut: z.boolean(),
  latencyMs: z.object({ p95: z.number() }).nullable(),
  peakMemory: z.number().nullable(),
});

/** Starts the real service on the candidate, in a process and a store of its own, and asks it. */
export const tryModel: Stage<"try"> = {
  name: "try",
  inputs: ({ settings, result }) => ({ exported: result("export"), trial: settings.trial }),
  async run(context) {
    const { model, run: { record: { run } }, settings: { trial }, work, signal } = context;
    const folder = join(work, "trial");
    await Deno.remove(folder, { recursive: true }).catch(() => {});
    const store = new DirectoryStore(folder);
    const who = { by: "retrain", reason: "to be tried" };
    await publishModel(store, await readExported(context), who);
    const { code, stdout, stderr } = await new Deno.Command(TOPFIVE, {
      args: [
        ...["try", `${model}@${run}`, "--store", folder],
        ...["--requests", String(trial.requests), "--timeout", String(trial.timeoutSeconds)],
        ...(trial.serveArgs.length > 0 ? ["--", ...trial.serveArgs] : []),
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      signal,
    }).output();
    signal.throwIfAborted();
    const [text, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim());
    if (text === "") throw new Error(`Cannot try the candidate: code ${code}, ${errors}`);
    const report = parse("trial's report", ReportSchema, text);
    if (report.timedOut) {
      throw new Error(
        `Cannot try the candidate: ${report.reason} (the machine may be busy: retrain again, or ` +
          "raise trial.timeoutSeconds)",
      );
    }
    await Deno.remove(folder, { recursive: true });
    const reason = report.reason ?? "no reason was given";
    return {
      loadFailure: report.loaded ? null : reason,
      selfTestFailure: report.selfTest === "passed" || !report.loaded ? null : reason,
      peakMemoryBytes: report.peakMemory,
      latencyMs: report.latencyMs?.p95 ?? null,
    };
  },
  describe: ({ loadFailure, selfTestFailure, peakMemoryBytes, latencyMs }) => {
    const failure = loadFailure ?? selfTestFailure;
    if (failure) return `it does not pass in the service: ${failure}`;
    const memory = peakMemoryBytes === null ? "" : `, ${(peakMemoryBytes / 1e6).toFixed(0)} MB`;
    return `the service answers with it: ${latencyMs?.toFixed(1)} ms (95th percentile)${memory}`;
  },
};
