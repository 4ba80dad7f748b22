import { z } from "zod";
import { parse, SafeName } from "../../shared/manifest.ts";
import {
  type ObjectStore,
  PreconditionFailedError,
} from "../../shared/object_store/object_store.ts";
import { latestRunKey } from "../../shared/registry/keys.ts";
import { runKey } from "./keys.ts";
import { LeaseLostError } from "./lease/lease.ts";
import { RetrainSettingsSchema } from "./settings.ts";
import { STAGE_NAMES } from "./stage.ts";

/**
 * How a run stands: `working` also where its process died and the next one goes on; `failed` may be
 * tried again by the same command; `nothing` found only images that were judged before.
 */
export const RUN_STATES = [
  "working",
  "failed",
  "promoted",
  "refused",
  "bad-data",
  "nothing",
  "abandoned",
] as const;
export type RunState = typeof RUN_STATES[number];

const StageRecordSchema = z.strictObject({
  name: z.enum(STAGE_NAMES),
  state: z.enum(["working", "done", "failed"]),
  /** Times that it was begun: more than one where a process died or failed in it. */
  attempts: z.int().positive(),
  startedAt: z.iso.datetime(),
  /** Of the attempt that ended it. */
  seconds: z.number().nonnegative().nullable(),
  /** What came of it, or what went wrong, in words. */
  text: z.string(),
});
export type StageRecord = z.infer<typeof StageRecordSchema>;

const RunRecordSchema = z.strictObject({
  run: SafeName,
  model: SafeName,
  createdAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
  /** Who works on it, or did last, and the number of his lease. */
  by: z.string(),
  token: z.int().positive(),
  settings: RetrainSettingsSchema,
  codeVersion: z.string(),
  /** Key of the image records that it began with; null for a model's first run. */
  base: z.string().nullable(),
  state: z.enum(RUN_STATES),
  reasons: z.array(z.string()),
  stages: z.array(StageRecordSchema),
  /** Fingerprint of what lay where images arrive; null before that was looked at. */
  listing: z.string().nullable(),
  /** Key of the image records that the next run begins with; null until they were accepted. */
  records: z.string().nullable(),
  /** The published version; null where none came of it. */
  version: z.string().nullable(),
  /** Whether who asked for it was told how it ended. */
  told: z.boolean(),
});
export type RunRecord = z.infer<typeof RunRecordSchema>;

const LatestSchema = z.looseObject({ run: SafeName });

/** A run's record in the store, changed by its lease's holder alone. */
export class RunFile {
  readonly #store: ObjectStore;
  #record: RunRecord;
  #etag: string;

  private constructor(store: ObjectStore, record: RunRecord, etag: string) {
    this.#store = store;
    this.#record = record;
    this.#etag = etag;
  }

  /** Begins a run, and makes it the model's latest. */
  static async create(store: ObjectStore, record: RunRecord): Promise<RunFile> {
    const key = runKey(record.model, record.run);
    const { etag } = await store.put(key, encode(record), { ifNoneMatch: "*" });
    const file = new RunFile(store, record, etag);
    await file.#point();
    return file;
  }

  /** The run that began last, or null for a model that has none. */
  static async openLatest(store: ObjectStore, model: string): Promise<RunFile | null> {
    const object = await store.get(latestRunKey(model));
    if (object === null) return null;
    const { run } = parse("latest run", LatestSchema, new TextDecoder().decode(object.bytes));
    const found = await store.get(runKey(model, run));
    if (found === null) throw new Error(`Cannot read run ${run} of ${model}: it is missing`);
    const text = new TextDecoder().decode(found.bytes);
    return new RunFile(store, parse("run", RunRecordSchema, text), found.etag);
  }

  get record(): RunRecord {
    return this.#record;
  }

  /**
   * Changes the record.
   *
   * @throws {LeaseLostError} where another process changed it.
   */
  async update(changes: Partial<RunRecord>): Promise<void> {
    const record = { ...this.#record, ...changes };
    const key = runKey(record.model, record.run);
    try {
      this.#etag = (await this.#store.put(key, encode(record), { ifMatch: this.#etag })).etag;
    } catch (error) {
      if (!(error instanceof PreconditionFailedError)) throw error;
      throw new LeaseLostError(
        `Cannot go on retraining ${record.model}: another process works on run ${record.run}`,
      );
    }
    this.#record = record;
    if (changes.state !== undefined) await this.#point();
  }

  /** Changes what is said of a stage; the run's stages are in the order in which they were begun. */
  async updateStage(stage: StageRecord): Promise<void> {
    const others = this.#record.stages.filter(({ name }) => name !== stage.name);
    await this.update({ stages: [...others, stage] });
  }

  async #point(): Promise<void> {
    const { run, model, state, endedAt } = this.#record;
    await this.#store.put(latestRunKey(model), encode({ run, state, endedAt }));
  }
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value, null, 2) + "\n");
}
