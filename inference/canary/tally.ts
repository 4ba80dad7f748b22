import type { CanaryTally } from "../../shared/registry/canary.ts";

/** Enough for a percentile, few enough to sort when a report is asked for. */
const KEPT = 1000;

/** What one of the two models was asked, and how it fared. */
export class Tally {
  #asked = 0;
  #answered = 0;
  #errors = 0;
  readonly #milliseconds: number[] = [];

  /** An answer that took so long to make; to a client, or for comparison alone. */
  answer(milliseconds: number, { toClient }: { readonly toClient: boolean }): void {
    this.#milliseconds[this.#asked % KEPT] = milliseconds;
    this.#asked++;
    if (toClient) this.#answered++;
  }

  error(): void {
    this.#asked++;
    this.#errors++;
  }

  report(): CanaryTally {
    const sorted = Object.values(this.#milliseconds).sort((a, b) => a - b);
    const at = (share: number) =>
      Math.round(100 * sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!) /
      100;
    return {
      asked: this.#asked,
      answered: this.#answered,
      errors: this.#errors,
      milliseconds: sorted.length === 0 ? null : { p50: at(0.5), p95: at(0.95) },
    };
  }
}
