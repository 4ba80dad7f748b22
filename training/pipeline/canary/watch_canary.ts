/**
 * Has a candidate meet real requests, watches, and completes its promotion or takes it back. All
 * state is in the store's pointers and in the services' counters: a watch that was killed can be
 * begun again and goes on.
 * @module
 */
import {
  type ObjectStore,
  PreconditionFailedError,
} from "../../../shared/object_store/object_store.ts";
import type { CanarySetting } from "../../../shared/registry/canary.ts";
import { type Move, moveAlias } from "../../../shared/registry/move_alias.ts";
import { type Pointer, readPointer } from "../../../shared/registry/pointer.ts";
import { promote } from "../../registry/champion.ts";
import { type CanaryEvidence, Evidence } from "./evidence.ts";
import { judgeCanary } from "./judge.ts";
import type { CanaryPolicy } from "./policy.ts";
import { readServiceReport, type WatchedService } from "./service_report.ts";

/** A move that was decided on: it follows the move that it names, or is not made. */
export type DecidedMove = Move & Required<Pick<Move, "from" | "afterMove">>;

export interface WatchOptions {
  readonly store: ObjectStore;
  readonly name: string;
  readonly version: string;
  readonly services: readonly WatchedService[];
  readonly setting: CanarySetting;
  readonly policy: CanaryPolicy;
  /** Who, for the history. */
  readonly by: string;
  /** Ends the watch; the canary goes on, for the next one to watch. */
  readonly signal?: AbortSignal | undefined;
  /** What is seen at each look, where it is another thing than at the look before. */
  readonly onProgress?: ((line: string) => void) | undefined;
  /** Moves an alias; by compare-and-swap where left out. A runner with a lease moves through it. */
  readonly move?:
    | ((alias: "champion" | "candidate", move: DecidedMove) => Promise<unknown>)
    | undefined;
}

export interface CanaryOutcome {
  readonly promoted: boolean;
  readonly reason: string;
  readonly evidence: CanaryEvidence;
}

/**
 * @throws {RangeError} where there is no champion to compare with, or it is this version already.
 * @throws {PreconditionFailedError} where others moved `candidate` while the canary was begun.
 * @throws the signal's reason.
 */
export async function watchCanary(options: WatchOptions): Promise<CanaryOutcome> {
  const { store, name, version, policy, signal, onProgress = () => {} } = options;
  const champion = await requireChampion(store, name, version);
  const candidate = await beginCanary(options);
  const evidence = new Evidence(candidate.move);
  const deadline = performance.now() + policy.timeLimitSeconds * 1000;
  let last = "";
  while (true) {
    await lookAtServices(options, evidence, onProgress);
    const seen = evidence.sum();
    const interference = await findInterference(store, name, { champion, candidate });
    if (interference?.alias === "candidate") {
      return { promoted: false, reason: interference.reason, evidence: seen };
    }
    const { verdict, reason } = interference
      ? { verdict: "take-back" as const, reason: interference.reason }
      : judgeCanary(seen, policy, performance.now() >= deadline);
    if (verdict !== "wait") {
      return await finish(options, { champion, candidate, evidence: seen, verdict, reason });
    }
    if (reason !== last) onProgress(reason);
    last = reason;
    await delay(policy.pollSeconds * 1000, signal);
  }
}

async function requireChampion(
  store: ObjectStore,
  name: string,
  version: string,
): Promise<Pointer> {
  const champion = await readPointer(store, name, "champion");
  if (champion !== null && champion.version !== version) return champion;
  const why = champion
    ? `${version} is the champion already`
    : "there is no champion to compare with";
  throw new RangeError(`Cannot begin a canary of ${name}: ${why}`);
}

/** Points `candidate` at the version with the setting, unless it does already. */
async function beginCanary(options: WatchOptions): Promise<Pointer> {
  const { store, name, version, setting } = options;
  const before = await readPointer(store, name, "candidate");
  if (before?.version === version && isSame(before.canary, setting)) return before;
  await moveOf(options)("candidate", {
    ...{ version, canary: setting, by: options.by, reason: `canary begins: ${describe(setting)}` },
    ...{ from: before?.version ?? null, afterMove: before?.move ?? 0 },
  });
  const begun = await readPointer(store, name, "candidate");
  if (begun?.version === version && isSame(begun.canary, setting)) return begun;
  throw new PreconditionFailedError(
    `Cannot begin a canary of ${name}: somebody moved candidate to ${begun?.version} (look again)`,
  );
}

function isSame(a: CanarySetting | undefined, b: CanarySetting): boolean {
  if (a?.mode === "share" && b.mode === "share") return a.share === b.share;
  return a?.mode === b.mode;
}

/** How a setting is said. */
export function describe(setting: CanarySetting): string {
  return setting.mode === "share"
    ? `${100 * setting.share} % of the images go to it`
    : "it is asked in the shadow of the champion's answers";
}

async function lookAtServices(
  { services, name }: WatchOptions,
  evidence: Evidence,
  onProgress: (line: string) => void,
): Promise<void> {
  await Promise.all(services.map(async (service) => {
    try {
      evidence.add(await readServiceReport(service, name));
    } catch (error) {
      // It may be restarting; without its counts the time limit decides.
      onProgress((error as Error).message);
    }
  }));
}

/** Whether somebody moved one of the two pointers since the canary began. */
async function findInterference(
  store: ObjectStore,
  name: string,
  begun: { readonly champion: Pointer; readonly candidate: Pointer },
): Promise<{ alias: "champion" | "candidate"; reason: string } | null> {
  for (const alias of ["candidate", "champion"] as const) {
    const now = await readPointer(store, name, alias);
    if (now?.move === begun[alias].move) continue;
    const who = now ? ` (by ${now.by}: ${now.reason || "no reason given"})` : "";
    return { alias, reason: `${alias} was moved to ${now?.version ?? "nothing"} meanwhile${who}` };
  }
  return null;
}

async function finish(
  options: WatchOptions,
  { champion, candidate, evidence, ...decided }: {
    readonly champion: Pointer;
    readonly candidate: Pointer;
    readonly evidence: CanaryEvidence;
    readonly verdict: "promote" | "take-back";
    readonly reason: string;
  },
): Promise<CanaryOutcome> {
  const { version, by } = options;
  const move = moveOf(options);
  let { reason } = decided;
  let promoted = decided.verdict === "promote";
  if (promoted) {
    try {
      const condition = { from: champion.version, afterMove: champion.move };
      await move("champion", { version, by, reason: `canary passed: ${reason}`, ...condition });
    } catch (error) {
      if (!(error instanceof PreconditionFailedError)) throw error;
      promoted = false;
      reason = error.message;
    }
  }
  const text = promoted ? `canary passed: ${reason}` : `canary taken back: ${reason}`;
  try {
    const condition = { from: candidate.version, afterMove: candidate.move };
    await move("candidate", { version, by, reason: text, ...condition });
  } catch (error) {
    // Somebody moved it in this moment: what they want stands.
    if (!(error instanceof PreconditionFailedError)) throw error;
  }
  return { promoted, reason, evidence };
}

function moveOf({ store, name, move }: WatchOptions): NonNullable<WatchOptions["move"]> {
  return move ?? ((alias, decided) => {
    const { version, by, reason, from, afterMove } = decided;
    return alias === "champion"
      ? promote(store, name, version, { by, reason }, { from, afterMove })
      : moveAlias(store, name, alias, decided);
  });
}

function delay(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  signal?.throwIfAborted();
  const stop = () => {
    clearTimeout(timer);
    reject(signal?.reason);
  };
  const timer = setTimeout(() => {
    signal?.removeEventListener("abort", stop);
    resolve();
  }, milliseconds);
  signal?.addEventListener("abort", stop, { once: true });
  return promise;
}
