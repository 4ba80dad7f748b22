import { z } from "zod";
import { parse } from "../../../shared/manifest.ts";
import {
  type ObjectStore,
  PreconditionFailedError,
} from "../../../shared/object_store/object_store.ts";
import { scheduleKey } from "../keys.ts";

const StateSchema = z.strictObject({
  /** The last window that was dealt with; the first start of a schedule counts as one. */
  lastWindow: z.iso.datetime(),
  /** The last run that was begun. */
  run: z.strictObject({
    why: z.string(),
    by: z.string(),
    startedAt: z.iso.datetime(),
    /** Null while it works, or where its scheduler died. */
    endedAt: z.iso.datetime().nullable(),
    exitCode: z.int().nullable(),
  }).nullable(),
});

/** What schedulers of a model know of each other and of themselves before a restart. */
export type ScheduleState = z.infer<typeof StateSchema>;

export interface StoredState {
  readonly state: ScheduleState;
  readonly etag: string;
}

/** Null before the first start. */
export async function readState(store: ObjectStore, model: string): Promise<StoredState | null> {
  const object = await store.get(scheduleKey(model));
  if (object === null) return null;
  const state = parse("schedule's state", StateSchema, new TextDecoder().decode(object.bytes));
  return { state, etag: object.etag };
}

/** Replaces what has the etag, or nothing; null where another scheduler was faster. */
export async function swapState(
  store: ObjectStore,
  model: string,
  state: ScheduleState,
  etag: string | undefined,
): Promise<StoredState | null> {
  const bytes = new TextEncoder().encode(JSON.stringify(state, null, 2) + "\n");
  const condition = etag === undefined ? { ifNoneMatch: "*" as const } : { ifMatch: etag };
  try {
    return { state, etag: (await store.put(scheduleKey(model), bytes, condition)).etag };
  } catch (error) {
    if (error instanceof PreconditionFailedError) return null;
    throw error;
  }
}
