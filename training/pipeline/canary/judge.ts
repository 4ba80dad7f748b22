/** Whether a candidate has shown enough; pure. */
import { percent } from "../../../shared/percent.ts";
import { wilsonInterval } from "../../evaluation/wilson.ts";
import type { CanaryEvidence } from "./evidence.ts";
import type { CanaryPolicy } from "./policy.ts";

export interface CanaryVerdict {
  readonly verdict: "promote" | "take-back" | "wait";
  /** For the history, and for people who wait. */
  readonly reason: string;
}

/** Fewer comparisons show nothing, however they went. */
const LEAST_TO_REFUSE = 30;

/**
 * A candidate that dies or cannot be loaded is taken back at once, one that is surely too bad (at
 * 95 %) as soon as that shows; all else is decided when enough was compared, or time is up.
 */
export function judgeCanary(
  evidence: CanaryEvidence,
  policy: CanaryPolicy,
  timeIsUp: boolean,
): CanaryVerdict {
  const takeBack = (reason: string): CanaryVerdict => ({ verdict: "take-back", reason });
  const { broken, champion, candidate, agreed, differed } = evidence;
  if (broken !== undefined) return takeBack(`a service does not run it: ${broken}`);
  const compared = agreed + differed;
  const allowed = policy.maxErrorShare + shareOf(champion.errors, champion.asked);
  const failed = `it failed on ${candidate.errors} of ${candidate.asked} images, ` +
    `${percent(allowed, 1)} allowed`;
  if (wilsonInterval(candidate.errors, candidate.asked)[0] > allowed) return takeBack(failed);
  const agreement = shareOf(agreed, compared);
  const disagrees =
    `it agrees with the champion on ${percent(agreement, 1)} of ${compared} images, ` +
    `${percent(policy.minAgreement, 1)} asked`;
  const surely = compared >= LEAST_TO_REFUSE &&
    wilsonInterval(agreed, compared)[1] < policy.minAgreement;
  if (surely) return takeBack(disagrees);
  if (compared < policy.minCompared) {
    const progress = `${compared} of ${policy.minCompared} images compared`;
    return timeIsUp
      ? takeBack(`time is up with ${progress} (${describe(evidence)})`)
      : { verdict: "wait", reason: progress };
  }
  if (shareOf(candidate.errors, candidate.asked) > allowed) return takeBack(failed);
  if (agreement < policy.minAgreement) return takeBack(disagrees);
  const ratio = (candidate.medianMs ?? Infinity) / (champion.medianMs ?? 0);
  if (!(ratio <= policy.maxLatencyRatio)) {
    return takeBack(
      `it takes ${
        ratio.toFixed(2)
      } times as long as the champion, ${policy.maxLatencyRatio} allowed`,
    );
  }
  return { verdict: "promote", reason: describe(evidence) };
}

function describe(evidence: CanaryEvidence): string {
  const { agreed, differed, newClass, candidate, champion, instances } = evidence;
  const parts = [
    `agrees on ${percent(shareOf(agreed, agreed + differed), 1)} of ${agreed + differed} images`,
    ...(newClass > 0 ? [`${newClass} more of new classes`] : []),
    `${candidate.errors} of ${candidate.asked} failed`,
    ...(candidate.medianMs !== null && champion.medianMs !== null
      ? [`${candidate.medianMs.toFixed(1)} ms, champion ${champion.medianMs.toFixed(1)} ms`]
      : []),
    `${instances} ${instances === 1 ? "service" : "services"}`,
  ];
  return parts.join("; ");
}

function shareOf(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
