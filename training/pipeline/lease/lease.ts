/**
 * Who may retrain a model: one process at a time, wherever it runs. The lease is one object, changed
 * by compare-and-swap. Its time is measured by the store's clock alone, and its holder counts by a
 * clock that cannot be set and from before each renewal, so that he gives up before anybody else may
 * take it.
 *
 * That alone does not keep a process that slept through its lease from moving a pointer when it
 * wakes. So a move is first written into the lease, which only its holder can; whoever takes the
 * lease next finishes that move before anything else, and a move names the one that it follows.
 * A sleeper's move is thus either done already or not its to do any more.
 * @module
 */
import {
  type ObjectStore,
  PreconditionFailedError,
} from "../../../shared/object_store/object_store.ts";
import { moveAlias } from "../../../shared/registry/move_alias.ts";
import { readPointer } from "../../../shared/registry/pointer.ts";
import { keepPrevious } from "../../registry/champion.ts";
import { requireConditionalWrites } from "../../registry/conditional_writes.ts";
import {
  type Intent,
  type LeaseRecord,
  readLease,
  type StoredLease,
  swapLease,
} from "./lease_record.ts";
import { storeTime } from "./store_clock.ts";

/** Somebody else works on it. */
export class LeaseHeldError extends Error {
  override readonly name = "LeaseHeldError";

  constructor(readonly holder: string, readonly until: Date, model: string) {
    super(
      `Cannot retrain ${model}: ${holder} is at it, at least until ${until.toISOString()} unless it ` +
        "goes on (wait, or stop it there)",
    );
  }
}

/** The lease ran out or was taken: what this process knows may be out of date. */
export class LeaseLostError extends Error {
  override readonly name = "LeaseLostError";
}

export interface LeaseOptions {
  readonly store: ObjectStore;
  readonly key: string;
  readonly model: string;
  /** As others will be told. */
  readonly holder: string;
  /** How long it lasts without a renewal, at least 2. */
  readonly seconds: number;
}

/** Whole seconds are what S3 tells of times. */
const CLOCK_MS = 1000;
/** Renewed so often within its time: two renewals may fail. */
const RENEWALS = 3;
/** Those who meet at a free lease take turns; more meetings than this are no coincidence. */
const MAX_MEETINGS = 20;

export class Lease implements AsyncDisposable {
  readonly #options: LeaseOptions;
  #record: LeaseRecord;
  #etag: string;
  /** By `performance.now()`, before the last renewal was sent. */
  #since: number;
  #lost: string | null = null;
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  /** One writing after the other: each names the one before. */
  #turn: Promise<unknown> = Promise.resolve();

  /**
   * Takes the lease, and finishes what its last holder had decided and not done.
   *
   * @throws {LeaseHeldError} while somebody else has it.
   * @throws {Error} where the store ignores conditions.
   */
  static async take(options: LeaseOptions): Promise<Lease> {
    const { store, key, model, holder, seconds } = options;
    await requireConditionalWrites(store);
    for (let meetings = 0; meetings < MAX_MEETINGS; meetings++) {
      const found = await readLease(store, key);
      if (found) await requireFree(store, model, found);
      if (found?.record.intent) await finish(store, model, found.record.intent);
      const record: LeaseRecord = {
        token: (found?.record.token ?? 0) + 1,
        holder,
        seconds,
        renewals: 0,
        takenAt: new Date().toISOString(),
        intent: null,
      };
      const since = performance.now();
      const etag = await swapLease(store, key, record, found?.etag);
      if (etag !== null) return new Lease(options, record, etag, since);
    }
    throw new Error(`Cannot retrain ${model}: others take its lease all the time (try again)`);
  }

  private constructor(options: LeaseOptions, record: LeaseRecord, etag: string, since: number) {
    this.#options = options;
    this.#record = record;
    this.#etag = etag;
    this.#since = since;
    const milliseconds = options.seconds * 1000 / RENEWALS;
    this.#timer = setInterval(() => void this.renew().catch(() => {}), milliseconds);
  }

  /** Greater than that of every holder before. */
  get token(): number {
    return this.#record.token;
  }

  /** Set when the lease is lost. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** @throws {LeaseLostError} when it is no longer ours, as far as can be told without asking. */
  require(): void {
    if (this.#lost === null && performance.now() - this.#since >= this.#options.seconds * 1000) {
      this.#lose(`it was not renewed for ${this.#options.seconds} s`);
    }
    if (this.#lost !== null) throw new LeaseLostError(this.#lost);
  }

  /**
   * Asks the store, and makes the lease last its whole time again.
   *
   * @throws {LeaseLostError} when it is no longer ours.
   */
  renew(): Promise<void> {
    return this.#write(this.#record.intent);
  }

  /**
   * Points an alias at a version, as long as the lease is ours and the alias stands where it stood
   * when this was decided. A champion's predecessor becomes `previous`.
   *
   * @throws {LeaseLostError} when the lease is no longer ours; nothing is moved then.
   * @throws {PreconditionFailedError} when somebody moved the alias meanwhile.
   */
  async move(intent: Intent): Promise<void> {
    const { store, model } = this.#options;
    await this.#write(intent);
    const refusal = await finish(store, model, intent);
    await this.#write(null);
    if (refusal) throw refusal;
  }

  /** Gives it back, so that the next one need not wait. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#turn.catch(() => {});
    if (this.#lost !== null) return;
    const { store, key } = this.#options;
    const record = { ...this.#record, holder: null };
    // Whatever goes wrong here, it runs out by itself.
    await swapLease(store, key, record, this.#etag).catch(() => {});
  }

  #write(intent: Intent | null): Promise<void> {
    const turn = this.#turn.catch(() => {}).then(async () => {
      this.require();
      const { store, key, model } = this.#options;
      const record = { ...this.#record, renewals: this.#record.renewals + 1, intent };
      const since = performance.now();
      const etag = await swapLease(store, key, record, this.#etag);
      if (etag === null) {
        this.#lose(`another process took over the retraining of ${model}`);
        this.require();
      }
      this.#etag = etag!;
      this.#record = record;
      this.#since = since;
    });
    this.#turn = turn;
    return turn;
  }

  #lose(reason: string): void {
    this.#lost = `Cannot go on retraining ${this.#options.model}: the lease is lost, ${reason}`;
    clearInterval(this.#timer);
    this.#controller.abort(new LeaseLostError(this.#lost));
  }
}

async function requireFree(
  store: ObjectStore,
  model: string,
  { record: { holder, seconds }, writtenAt }: StoredLease,
): Promise<void> {
  if (holder === null) return;
  const until = writtenAt + seconds * 1000 + CLOCK_MS;
  if (await storeTime(store) >= until) return;
  throw new LeaseHeldError(holder, new Date(until), model);
}

/**
 * Does what is left of a move that was decided. Gives the reason where others moved the alias since;
 * that somebody else did this very move is none.
 */
async function finish(
  store: ObjectStore,
  model: string,
  intent: Intent,
): Promise<PreconditionFailedError | null> {
  const { alias, version, afterMove } = intent;
  let refusal: PreconditionFailedError | null = null;
  try {
    await moveAlias(store, model, alias, intent);
  } catch (error) {
    if (!(error instanceof PreconditionFailedError)) throw error;
    refusal = error;
  }
  const pointer = await readPointer(store, model, alias);
  if (pointer?.version !== version || pointer.move !== afterMove + 1) return refusal;
  if (alias === "champion") await keepPrevious(store, model, pointer);
  return null;
}
