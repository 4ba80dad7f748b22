/** What the services saw, added up. */
import type { CanaryReport, CanaryTally } from "../../../shared/registry/canary.ts";

type Counts = NonNullable<CanaryReport["canary"]>;

interface Side {
  readonly asked: number;
  readonly errors: number;
  /** Mean of the services' medians, weighted by what each was asked; null before any answer. */
  readonly medianMs: number | null;
}

export interface CanaryEvidence {
  /** Processes that loaded the candidate. */
  readonly instances: number;
  /** Why a process does not run the candidate; undefined where each does. */
  readonly broken: string | undefined;
  readonly champion: Side;
  readonly candidate: Side;
  readonly agreed: number;
  readonly differed: number;
  readonly newClass: number;
  readonly dropped: number;
}

/**
 * The last report of every process, so that neither a restart nor a load balancer in front of several
 * counts anything twice or not at all.
 */
export class Evidence {
  readonly #reports = new Map<string, CanaryReport & { canary: Counts }>();
  readonly #move: number;

  /** @param move that of the pointer `candidate` which began this canary */
  constructor(move: number) {
    this.#move = move;
  }

  /** Reports about another canary, or none, count for nothing. */
  add(report: CanaryReport): void {
    const { canary } = report;
    if (canary?.move === this.#move) this.#reports.set(report.instance, { ...report, canary });
  }

  sum(): CanaryEvidence {
    const reports = [...this.#reports.values()];
    const canaries = reports.map(({ canary }) => canary);
    const total = (count: (canary: Counts) => number) =>
      canaries.reduce((sum, canary) => sum + count(canary), 0);
    const broken = reports.find(({ state }) => state === "refused" || state === "ended");
    return {
      instances: reports.filter(({ state }) => state === "running").length,
      broken: broken && broken.reason,
      champion: addUp(canaries.map(({ champions }) => champions)),
      candidate: addUp(canaries.map(({ candidates }) => candidates)),
      agreed: total(({ compared }) => compared.agreed),
      differed: total(({ compared }) => compared.differed),
      newClass: total(({ compared }) => compared.newClass),
      dropped: total(({ dropped }) => dropped),
    };
  }
}

function addUp(tallies: readonly CanaryTally[]): Side {
  const timed = tallies.flatMap(({ asked, milliseconds }) =>
    milliseconds ? [{ asked, p50: milliseconds.p50 }] : []
  );
  const weight = timed.reduce((sum, { asked }) => sum + asked, 0);
  return {
    asked: tallies.reduce((sum, { asked }) => sum + asked, 0),
    errors: tallies.reduce((sum, { errors }) => sum + errors, 0),
    medianMs: weight === 0
      ? null
      : timed.reduce((sum, { asked, p50 }) => sum + asked * p50, 0) / weight,
  };
}
