import type { Config } from "../config.ts";
import { chromeTrace } from "../profile/chrome_trace.ts";
import type { Peak } from "../profile/peak.ts";
import { profileOf } from "../profile/profile.ts";
import { formatProfile } from "../profile/profile_table.ts";
import type { StepProfiler } from "../profile/step_profiler.ts";
import { writeTrace } from "../run_folder.ts";

/** Prints what was timed, as a table or as one line of JSON, and writes the run's trace. */
export async function reportProfile(
  { times }: StepProfiler,
  peak: Peak,
  options: { readonly out: string; readonly config: Config; readonly json: boolean },
): Promise<void> {
  const { out, config, json } = options;
  if (times.length === 0) {
    console.error("warning: the training was too short to be profiled (expected four steps)");
    return;
  }
  const profile = profileOf(times, { images: config.batchSize, peak });
  const trace = await writeTrace(out, chromeTrace(times, config.model));
  if (json) console.log(JSON.stringify({ profile }));
  else console.log(`${formatProfile(profile)}\n${trace}: open it in https://ui.perfetto.dev`);
}
