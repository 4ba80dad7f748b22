/** A retraining from beginning to end: by one process at a time, told when it has ended. */
import { join } from "node:path";
import type { ObjectStore } from "../../shared/object_store/object_store.ts";
import { messageOf } from "../../shared/message_of.ts";
import type { ProgressLine } from "../progress.ts";
import { VERSION } from "../version.ts";
import { cleanUp } from "./clean_up.ts";
import { listArrivals } from "./images/arrivals.ts";
import { ImageCache } from "./images/image_cache.ts";
import { incomingPrefix, leaseKey } from "./keys.ts";
import { Lease, LeaseLostError } from "./lease/lease.ts";
import { RunFile, type RunRecord, type RunState } from "./run_record.ts";
import { hashOf, Runner } from "./runner.ts";
import type { RetrainSettings } from "./settings.ts";
import { tell, type Webhook } from "./tell/tell.ts";

export interface RetrainOptions {
  readonly store: ObjectStore;
  readonly model: string;
  readonly settings: RetrainSettings;
  /** A folder of this machine, for what can be made again. */
  readonly work: string;
  /** Who works, as others will be told. */
  readonly by: string;
  readonly leaseSeconds: number;
  readonly checkpointMinutes: number;
  readonly signingKey: string | undefined;
  readonly apiKey: string | undefined;
  readonly webhook: Webhook | null;
  /** Gives up a run that was left unfinished. */
  readonly restart: boolean;
  /** Also trains on images that were judged before. */
  readonly force: boolean;
  readonly line: ProgressLine;
  readonly signal: AbortSignal;
}

export interface Retrained {
  /** "nothing" also where no run was begun, because nothing came since the last one. */
  readonly state: Exclude<RunState, "working">;
  /** The run that says so. */
  readonly run: RunRecord;
  /** Whether this call did anything. */
  readonly worked: boolean;
  readonly reasons: readonly string[];
}

/**
 * Goes on with a run that was left unfinished, or begins one where images or settings changed.
 *
 * @throws {LeaseHeldError} while another process is at it.
 * @throws {LeaseLostError} when another one took over.
 */
export async function retrain(options: RetrainOptions): Promise<Retrained> {
  const { store, model, by, leaseSeconds: seconds, line } = options;
  await using lease = await Lease.take({
    ...{ store, model, seconds },
    key: leaseKey(model),
    holder: `${by}, process ${Deno.pid}`,
  });
  const last = await RunFile.openLatest(store, model);
  if (last && isEnded(last.record.state) && !last.record.told) {
    // Its process died, or the receiver was away, before anybody was told.
    await tell(last, options.webhook, { store, line });
  }
  const run = await chooseRun(options, lease, last);
  if ("worked" in run) return run;
  const images = new ImageCache(store, join(options.work, "images"));
  const signal = AbortSignal.any([options.signal, lease.signal]);
  const { settings } = run.record;
  const runner = new Runner({ ...options, settings, run, lease, images, signal }, options.force);
  try {
    const { state, reasons } = await runner.run();
    await run.update({ state, reasons: [...reasons], endedAt: new Date().toISOString() });
  } catch (error) {
    if (options.signal.aborted) throw options.signal.reason;
    if (error instanceof LeaseLostError || lease.signal.aborted) throw lease.signal.reason ?? error;
    const reason = messageOf(error);
    if (error instanceof TypeError) line.print(error.stack ?? reason);
    await run.update({ state: "failed", reasons: [reason], endedAt: new Date().toISOString() });
  }
  await tell(run, options.webhook, { store, line });
  const { state, reasons } = run.record;
  if (isEnded(state)) {
    // What is left over costs space; it changes nothing of how the run ended.
    await cleanUp(store, run.record, options.work).catch((error) => {
      line.print(`warning: Cannot remove what the run left over: ${error.message}`);
    });
  }
  return { state: state as Retrained["state"], run: run.record, worked: true, reasons };
}

/** Whether there is nothing left to do in a run. A failed one may go on. */
function isEnded(state: RunState): boolean {
  return state !== "working" && state !== "failed";
}

/** The run to work on, or the answer that there is nothing to do. */
async function chooseRun(
  options: RetrainOptions,
  lease: Lease,
  last: RunFile | null,
): Promise<RunFile | Retrained> {
  const { store, model, settings, by, line, restart, force } = options;
  if (last && !isEnded(last.record.state)) {
    const isSame = hashOf(last.record.settings) === hashOf(settings);
    if (isSame && !restart) {
      line.print(`going on with run ${last.record.run}`);
      await last.update({ by, token: lease.token, state: "working", endedAt: null, told: false });
      return last;
    }
    const reason = restart ? "--restart gave it up" : "the settings changed meanwhile";
    line.print(`run ${last.record.run} is given up: ${reason}`);
    const endedAt = new Date().toISOString();
    await last.update({ state: "abandoned", reasons: [reason], endedAt, told: true });
  } else if (last && last.record.state !== "abandoned" && !force) {
    const { fingerprint } = await listArrivals(
      store,
      settings.images.prefix ?? incomingPrefix(model),
    );
    const { listing, codeVersion, run, state, reasons } = last.record;
    const isSame = listing === fingerprint && codeVersion === VERSION &&
      hashOf(last.record.settings) === hashOf(settings);
    if (isSame) {
      return {
        state: state === "bad-data" ? "bad-data" : "nothing",
        run: last.record,
        worked: false,
        reasons: [`no image came, went or changed since run ${run}: ${state}`, ...reasons],
      };
    }
  }
  return await RunFile.create(store, await newRun(options, lease, last?.record ?? null));
}

async function newRun(
  { model, settings, by, store }: RetrainOptions,
  { token }: Lease,
  last: RunRecord | null,
): Promise<RunRecord> {
  const createdAt = new Date().toISOString();
  const stamp = createdAt.replace(/[-:]|\.\d+Z/g, "").replace("T", "-");
  // Two runs of the same second differ by the lease under which they were begun.
  const run = `${stamp}-${String(token).padStart(4, "0")}`;
  const prefix = settings.images.prefix ?? incomingPrefix(model);
  if (await isEmpty(store, prefix)) {
    throw new Error(
      `Cannot retrain ${model}: there is nothing below ${prefix} (put images there: ` +
        `${prefix}<class>/photo.jpg)`,
    );
  }
  return {
    ...{ run, model, createdAt, by, token, settings },
    endedAt: null,
    codeVersion: VERSION,
    base: last === null ? null : last.records ?? last.base,
    state: "working",
    reasons: [],
    stages: [],
    listing: null,
    records: null,
    version: null,
    told: false,
  };
}

async function isEmpty(store: ObjectStore, prefix: string): Promise<boolean> {
  for await (const _ of store.list(prefix)) return false;
  return true;
}
