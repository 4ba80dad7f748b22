/** Events that a retraining does not wait for its window for. */
import type { ObjectStore } from "../../../shared/object_store/object_store.ts";
import { foresee } from "../foresee.ts";
import { listArrivals } from "../images/arrivals.ts";
import { incomingPrefix } from "../keys.ts";
import type { RetrainOptions } from "../retrain.ts";
import { RunFile } from "../run_record.ts";

export interface ArrivalRules {
  /** So many new images are an event; null: no number is. */
  readonly newImages: number | null;
  /** New images that look otherwise than the known ones are an event. */
  readonly drift: boolean;
}

type ForeseeOptions = Parameters<typeof foresee>[0];

/** Looks at what came since the last run. Lists are cheap; images are read for drift alone. */
export class Arrived {
  readonly #options: ForeseeOptions & { readonly rules: ArrivalRules };
  /** What was looked at for drift already. */
  #seen: string | null = null;

  constructor(options: ForeseeOptions & { readonly rules: ArrivalRules }) {
    this.#options = options;
  }

  /** Why a run is due, or null. */
  async look(): Promise<string | null> {
    const { store, model, settings, rules } = this.#options;
    const since = await lastRunBegan(store, model);
    const prefix = settings.images.prefix ?? incomingPrefix(model);
    const { images, fingerprint } = await listArrivals(store, prefix);
    const fresh = images.filter(({ modifiedAt }) => modifiedAt > since).length;
    if (rules.newImages !== null && fresh >= rules.newImages) return `${fresh} new images`;
    if (!rules.drift || fresh === 0 || fingerprint === this.#seen) return null;
    const { findings } = await foresee(this.#options);
    this.#seen = fingerprint;
    const drift = findings.find(({ rule }) => rule === "drift");
    return drift === undefined ? null : `drift: ${drift.text}`;
  }
}

/** Milliseconds since 1970; 0 before the first run. */
async function lastRunBegan(store: ObjectStore, model: RetrainOptions["model"]): Promise<number> {
  const last = await RunFile.openLatest(store, model);
  return last === null ? 0 : Date.parse(last.record.createdAt);
}
