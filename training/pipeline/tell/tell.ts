import type { ObjectStore } from "../../../shared/object_store/object_store.ts";
import type { ProgressLine } from "../../progress.ts";
import type { Finding } from "../images/findings.ts";
import { runPageKey } from "../../../shared/registry/keys.ts";
import { stageKey } from "../keys.ts";
import type { RunFile } from "../run_record.ts";
import { type Outputs, STAGE_NAMES } from "../stage.ts";
import { renderPage } from "./page.ts";
import { deliver, type DeliveryOptions, type Webhook } from "./webhook.ts";

export type { Webhook } from "./webhook.ts";

interface TellOptions {
  readonly store: ObjectStore;
  readonly line: ProgressLine;
  readonly delivery?: DeliveryOptions;
}

/** Writes the run's page as it stands. */
export async function writePage(store: ObjectStore, { record }: RunFile): Promise<void> {
  const { model, run } = record;
  const results: Partial<Record<keyof Outputs, unknown>> = {};
  for (const name of STAGE_NAMES) {
    const stored = await readJson(store, stageKey(model, run, name));
    if (stored !== null) results[name] = (stored as { output: unknown }).output;
  }
  const own = results as Partial<Outputs>;
  const report = own.validate && await readJson(store, own.validate.report);
  const { findings = [] } = (report ?? {}) as { findings?: Finding[] };
  const page = renderPage({ record, results: own, findings });
  await store.put(runPageKey(model, run), new TextEncoder().encode(page));
}

/** Our own objects, written by this code a moment ago. */
async function readJson(store: ObjectStore, key: string): Promise<unknown> {
  const object = await store.get(key);
  return object && JSON.parse(new TextDecoder().decode(object.bytes));
}

/**
 * Writes the page of a run that ended and tells whoever waits for it. A receiver that does not take it
 * changes nothing of the run: the next retraining tells it again.
 */
export async function tell(
  run: RunFile,
  webhook: Webhook | null,
  { store, line, delivery = {} }: TellOptions,
): Promise<void> {
  await writePage(store, run);
  const { state } = run.record;
  if (webhook && state !== "nothing") {
    const body = messageOf(run);
    const id = `${run.record.model}-${run.record.run}-${run.record.endedAt}`;
    const problem = await deliver(webhook, { id, body }, delivery);
    if (problem !== null) {
      line.print(`warning: Cannot tell ${new URL(webhook.url).host}: ${problem}`);
      return;
    }
  }
  await run.update({ told: true });
}

function messageOf({ record }: RunFile) {
  const { model, run, state, reasons, version, createdAt, endedAt, by, stages } = record;
  return {
    type: `retrain.${state}`,
    timestamp: endedAt,
    data: {
      ...{ model, run, state, reasons, version, createdAt, endedAt, by },
      stages: stages.map(({ name, state, seconds, attempts, text }) => {
        return { name, state, seconds, attempts, text };
      }),
      /** In the store, and on the service at /models/<model>/runs/<run>. */
      page: runPageKey(model, run),
    },
  };
}
