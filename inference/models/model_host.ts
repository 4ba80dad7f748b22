import type { Log } from "../log.ts";
import { modelNotLoaded, ProblemError } from "../problem.ts";
import { S3Error } from "../../shared/object_store/s3/s3_error.ts";
import { aliasKey } from "../../shared/registry/keys.ts";
import { readLivePointer } from "../../shared/registry/pointer.ts";
import { UntrustedError } from "../../shared/registry/signature.ts";
import { messageOf } from "../../shared/message_of.ts";
import type { DecodePool } from "../workers/decode_pool.ts";
import { chooseVariant, type ChosenVariant } from "./choose_variant.ts";
import { findManifest, modelsToServe, type NamedStore } from "./find_manifest.ts";
import { requireSelfTest } from "./self_testing.ts";
import { type RunOptions, ServedModel } from "./served_model.ts";
import type { WeightsSource } from "./weights_source.ts";

export interface ModelHostOptions extends NamedStore {
  /** The weights come from the store's address, if not from this cache. */
  readonly weightsCache?: WeightsSource["cache"];
  readonly run: Omit<RunOptions, "source">;
  /** Names separated by commas; all models of the store when left out. */
  readonly models?: string | undefined;
  /** Serves this version of every model and follows no pointer. */
  readonly version?: string | undefined;
  /** Serves this form of every model; the most faithful that fits `memory` when left out. */
  readonly variant?: string | undefined;
  /** Bytes that all models together may take; no limit when left out. */
  readonly memory?: number | undefined;
  /** Largest file of weights that is loaded. */
  readonly maxModelBytes: number;
  readonly decoders: DecodePool;
  readonly log: Log;
  /** Told when a version is found, and its weights are asked for. */
  readonly onOpen?: () => void;
  /** Told of each version that was loaded or refused. */
  readonly onLoad?: (model: string, outcome: "loaded" | "refused") => void;
}

/** What is known of one version, as `/v2/repository/index` lists it. */
export interface ModelState {
  readonly name: string;
  readonly version: string;
  readonly state: "LOADING" | "READY" | "UNAVAILABLE";
  readonly reason: string;
}

interface Slot {
  /** What answers when no version is asked for. */
  current: ServedModel | undefined;
  /** By version: the current one, and those that were loaded by name. */
  readonly loaded: Map<string, ServedModel>;
  /** ETags of the pointers as they were last seen. */
  readonly seen: Map<string, string | null>;
  /** Versions that are being loaded or were refused. */
  readonly states: Map<string, ModelState>;
  /** What refused the live version may pass: it is tried again at each poll. */
  waiting: boolean;
  /** The last load: one at a time, so that two moves of a pointer end in their order. */
  turn: Promise<unknown>;
}

/**
 * The models of a service. A version is loaded beside the current one, asked its self-test, and only
 * then put in its place; requests that began with the old version end with it. What cannot be
 * loaded is refused, the old version goes on, and the state says why.
 */
export class ModelHost {
  readonly #options: ModelHostOptions;
  readonly #slots = new Map<string, Slot>();
  /** Models that share the memory. */
  #expected = 1;
  #closed = false;

  constructor(options: ModelHostOptions) {
    this.#options = options;
  }

  /**
   * Loads the current version of each model.
   *
   * @throws what kept the first model from being loaded.
   */
  async start(): Promise<ServedModel> {
    const names = await modelsToServe(this.#options, this.#options.models);
    this.#expected = names.length;
    for (const name of names) {
      await this.load(name, this.#options.version);
    }
    return this.find();
  }

  /**
   * The model that answers.
   *
   * @throws {ProblemError} `model-not-found` or `model-not-loaded`.
   */
  find(name?: string, version?: string): ServedModel {
    const [first] = this.#slots.keys();
    const slot = this.#slots.get(name ?? first ?? "");
    if (slot === undefined) {
      if (name === undefined || this.#slots.size === 0) throw modelNotLoaded();
      throw notFound(`no model ${name}`, [...this.#slots.keys()].join(", "));
    }
    const model = version === undefined ? slot.current : slot.loaded.get(version);
    if (model?.alive) return model;
    if (version !== undefined && model === undefined && slot.current !== undefined) {
      throw notFound(
        `no version ${version} of ${name ?? first}`,
        [...slot.loaded.keys()].join(", "),
      );
    }
    throw modelNotLoaded();
  }

  /** Every version that is loaded, loading or refused. */
  states(): ModelState[] {
    return [...this.#slots].flatMap(([name, { loaded, states }]) => [
      ...[...loaded.keys()].map((version) => ({
        name,
        version,
        state: "READY" as const,
        reason: "",
      })),
      ...[...states.values()].filter(({ version }) => !loaded.has(version)),
    ]);
  }

  /** Every version that can be asked. */
  loaded(): ServedModel[] {
    return [...this.#slots.values()].flatMap(({ loaded }) => [...loaded.values()]);
  }

  /** All loaded models, the current version of each first. */
  list(): { name: string; current: string | undefined; versions: string[] }[] {
    return [...this.#slots].map(([name, { current, loaded }]) => ({
      name,
      current: current?.manifest.version,
      versions: [...loaded.keys()],
    }));
  }

  /**
   * Loads a version beside what is loaded: the one that the store's pointer names, which becomes the
   * current one, or one that is named, which becomes current only where there is none.
   *
   * @throws what is wrong with the version; the current one goes on answering.
   */
  load(name: string, version?: string): Promise<void> {
    const slot = this.#slot(name);
    const turn = slot.turn.then(() => this.#load(slot, name, version));
    slot.turn = turn.catch(() => {});
    return turn;
  }

  /**
   * Looks whether pointers moved, and follows them. A version that was refused is not tried again,
   * unless it was not signed yet, or the store could not be reached.
   */
  async poll(): Promise<void> {
    if (this.#options.version !== undefined) return;
    for (const [name, slot] of this.#slots) {
      try {
        if (!await this.#pointerMoved(slot, name) && slot.current?.alive && !slot.waiting) continue;
        const version = (await readLivePointer(this.#options.store, name))?.version ?? "";
        const known = slot.states.get(version)?.state === "UNAVAILABLE" && !slot.waiting;
        const running = slot.current?.manifest.version === version && slot.current.alive;
        // What keeps it from being loaded is in its state, and logged.
        if (!known && !running) await this.load(name).catch(() => {});
      } catch (error) {
        this.#options.log.error("poll_failed", { model: name, reason: messageOf(error) });
      }
    }
  }

  /** Ends all versions of a model, or one; the requests that use it end first. */
  unload(name: string, version?: string): void {
    const slot = this.#slots.get(name);
    if (slot === undefined) throw notFound(`no model ${name}`, [...this.#slots.keys()].join(", "));
    for (const [key, model] of slot.loaded) {
      if (version !== undefined && key !== version) continue;
      slot.loaded.delete(key);
      if (slot.current === model) slot.current = undefined;
      model.retire();
      if (!this.#closed) this.#options.log.info("unloaded", { model: name, version: key });
    }
  }

  /** Waits for what is being loaded, then ends every worker. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const [name, slot] of this.#slots) {
      await slot.turn;
      this.unload(name);
    }
  }

  /** Conditional reads: an unchanged pointer costs no body. */
  async #pointerMoved({ seen }: Slot, name: string): Promise<boolean> {
    let moved = false;
    for (const alias of ["champion", "latest"]) {
      const before = seen.get(alias);
      const key = aliasKey(name, alias);
      const object = before
        ? await this.#options.store.getIfChanged(key, before)
        : await this.#options.store.get(key);
      if (object === "unchanged") continue;
      const etag = object?.etag ?? null;
      moved ||= etag !== before;
      seen.set(alias, etag);
    }
    return moved;
  }

  #slot(name: string): Slot {
    let slot = this.#slots.get(name);
    if (slot === undefined) {
      slot = {
        current: undefined,
        loaded: new Map(),
        seen: new Map(),
        states: new Map(),
        waiting: false,
        turn: Promise.resolve(),
      };
      this.#slots.set(name, slot);
    }
    return slot;
  }

  async #load(slot: Slot, name: string, wanted: string | undefined): Promise<void> {
    const { log, store, address, weightsCache, run, decoders } = this.#options;
    if (this.#closed) throw new Error("Cannot load a model: the service is stopping");
    let version = wanted;
    try {
      const started = performance.now();
      const pointer = wanted === undefined ? await readLivePointer(store, name) : null;
      version ??= pointer?.version;
      const published = await findManifest(this.#options, name, wanted ?? pointer ?? undefined);
      version = published.version;
      const manifest_ms = Math.round(performance.now() - started);
      let model = slot.loaded.get(version);
      if (!model?.alive) {
        slot.states.set(version, { name, version, state: "LOADING", reason: "" });
        const chosen = this.#choose(published);
        this.#requireSize(chosen.manifest);
        const source = { address, ...(weightsCache ? { cache: weightsCache } : {}) };
        const loading = ServedModel.load(chosen, { ...run, source });
        this.#options.onOpen?.();
        model = await loading;
        await requireSelfTest(model, decoders).catch((error) => {
          model?.retire();
          throw error;
        });
        this.#options.onLoad?.(name, "loaded");
        const { variant, runtime, stages } = model;
        log.info("loaded", { model: name, version, variant, runtime, manifest_ms, ...stages });
      }
      this.#swapIn(slot, model, wanted === undefined);
      if (wanted === undefined) slot.waiting = false;
    } catch (error) {
      const reason = messageOf(error);
      const logged = slot.waiting && slot.states.get(version ?? "")?.reason === reason;
      if (wanted === undefined) slot.waiting = mayPass(error);
      if (version !== undefined) {
        slot.states.set(version, { name, version, state: "UNAVAILABLE", reason });
      }
      if (slot.loaded.size === 0 && slot.states.size === 0) this.#slots.delete(name);
      this.#options.onLoad?.(name, "refused");
      if (!logged) log.error("refused", { model: name, version: version ?? "latest", reason });
      throw error;
    }
  }

  /** Bytes that each model may take; undefined is no limit. */
  get #budget(): number | undefined {
    const { memory } = this.#options;
    return memory && Math.floor(memory / Math.max(this.#expected, this.#slots.size));
  }

  /** An operator who asks for a little more than fits is told, and served. */
  #choose(manifest: ServedModel["manifest"]): ChosenVariant {
    const { variant, log, run: { runtime } } = this.#options;
    const budget = this.#budget;
    const chosen = chooseVariant(manifest, { variant, budget, runtime });
    if (!chosen.fits && budget) {
      const { name, version } = manifest;
      const { name: smallest, needs } = chosen;
      log.error("over_memory", { model: name, version, variant: smallest, needs, budget });
    }
    return chosen;
  }

  #requireSize({ name, version, weights }: ServedModel["manifest"]): void {
    const { maxModelBytes } = this.#options;
    if (weights.byteLength <= maxModelBytes) return;
    throw new RangeError(
      `Cannot serve ${name} ${version}: its weights are ${weights.byteLength} bytes, over the ` +
        `limit of ${maxModelBytes} (--max-model)`,
    );
  }

  #swapIn(slot: Slot, model: ServedModel, follow: boolean): void {
    const { version } = model.manifest;
    const before = slot.current;
    slot.loaded.set(version, model);
    slot.states.delete(version);
    if (before !== undefined && before.alive && !follow) return;
    slot.current = model;
    if (before === undefined || before === model) return;
    if (slot.loaded.get(before.manifest.version) === before) {
      slot.loaded.delete(before.manifest.version);
    }
    before.retire();
  }
}

/** Not the version's fault for good: somebody may sign it, the store may come back. */
function mayPass(error: unknown): boolean {
  return error instanceof UntrustedError || (error instanceof S3Error && error.temporary);
}

function notFound(what: string, there: string): ProblemError {
  return new ProblemError("model-not-found", `Cannot answer: ${what} is loaded (loaded: ${there})`);
}
