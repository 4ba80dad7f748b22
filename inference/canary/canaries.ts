import type { CanaryReport } from "../../shared/registry/canary.ts";
import type { ObjectStore } from "../../shared/object_store/object_store.ts";
import { readPointer } from "../../shared/registry/pointer.ts";
import { messageOf } from "../../shared/message_of.ts";
import type { Log } from "../log.ts";
import type { ModelHost } from "../models/model_host.ts";
import { Canary } from "./canary.ts";

export interface CanariesOptions {
  readonly store: ObjectStore;
  readonly host: ModelHost;
  readonly log: Log;
  /** Whether no request waits. */
  readonly idle: () => boolean;
  /** See `CanaryOptions`. */
  readonly rest?: number;
}

/** The canaries of a service, one a model at most, as the pointers `candidate` ask for them. */
export class Canaries {
  readonly #options: CanariesOptions;
  readonly #running = new Map<string, Canary>();
  /** Tells a service that was restarted, and counts anew, from one that goes on. */
  readonly #instance = crypto.randomUUID();
  #polling = false;

  constructor(options: CanariesOptions) {
    this.#options = options;
  }

  /** The canary of a model, or undefined where requests meet the champion alone. */
  find(name: string): Canary | undefined {
    return this.#running.get(name);
  }

  report(name: string): CanaryReport {
    const report = this.#running.get(name)?.report() ??
      { state: "none" as const, reason: "", canary: null };
    return { model: name, instance: this.#instance, ...report };
  }

  /** One of each model that has a canary, for metrics. */
  reports(): CanaryReport[] {
    return [...this.#running.keys()].map((name) => this.report(name));
  }

  /** Looks whether candidates came, went or changed, and follows. */
  async poll(): Promise<void> {
    if (this.#polling) return;
    this.#polling = true;
    try {
      for (const { name, current } of this.#options.host.list()) {
        try {
          if (current !== undefined) await this.#follow(name, current);
        } catch (error) {
          const reason = messageOf(error);
          this.#options.log.error("canary_poll_failed", { model: name, reason });
        }
      }
    } finally {
      this.#polling = false;
    }
  }

  async #follow(name: string, championVersion: string): Promise<void> {
    const { store, host, log, ...pace } = this.#options;
    const pointer = await readPointer(store, name, "candidate");
    const wanted = pointer?.canary && pointer.version !== championVersion ? pointer : null;
    const running = this.#running.get(name);
    if (
      running?.pointer.move === wanted?.move &&
      (!running || running.championVersion === championVersion)
    ) return;
    if (running) this.#end(name, running, wanted?.version);
    if (wanted === null) return;
    const champion = host.find(name).manifest;
    const canary = new Canary({ pointer: wanted, champion, ...pace });
    this.#running.set(name, canary);
    const { version } = wanted;
    try {
      await host.load(name, version);
      canary.begin(host.find(name, version));
      const { mode } = wanted.canary!;
      log.info("canary_began", { model: name, version, champion: championVersion, mode });
    } catch (error) {
      // The host has logged it.
      canary.refuse(messageOf(error));
    }
  }

  /** Gives the candidate's memory back, unless it is the champion now or is wanted again. */
  #end(name: string, { pointer: { version } }: Canary, wanted: string | undefined): void {
    const { host, log } = this.#options;
    this.#running.delete(name);
    log.info("canary_ended", { model: name, version });
    const listed = host.list().find((model) => model.name === name);
    if (version === wanted || version === listed?.current) return;
    if (listed?.versions.includes(version)) host.unload(name, version);
  }
}
