/**
 * Whether a candidate may take the champion's place. The burden of proof is the candidate's: what the
 * test images do not show is not assumed. (Single classes are the other way round, see
 * `compareClasses`: there are many, each with few images.)
 *
 * A margin is given at every promotion anew, so models could worsen by a margin each time and pass.
 * Keep it small, and the test set large enough for it: with one image in ten on which the models
 * disagree, showing "at most 2 % worse" of an equal model takes about 700 images.
 * @module
 */
import {
  classesAlone,
  compareClasses,
  compareOverall,
  judgeAlone,
  judgeNewClasses,
} from "./accuracy_checks.ts";
import type { ImageAnswer } from "./answers.ts";
import type { Check, ClassComparison, GateDecision } from "./decision.ts";
import type { GatePolicy } from "./policy.ts";
import { checkTrial, type TrialResult } from "./trial_checks.ts";

export interface GateInput {
  /** Answers about the test set (`pairAnswers`). */
  readonly answers: readonly ImageAnswer[];
  /** Class lists in any order; null where nothing was promoted yet. */
  readonly championClasses: readonly string[] | null;
  readonly candidateClasses: readonly string[];
  readonly trial: TrialResult;
}

/** Pure: the same input and policy give the same decision. */
export function decide(input: GateInput, policy: GatePolicy): GateDecision {
  const { checks, classes } = input.championClasses === null
    ? withoutChampion(input, policy)
    : besideChampion(input, input.championClasses, policy);
  const all = [
    enoughImages(input.answers, policy),
    ...checks,
    ...checkTrial(input.trial, policy),
  ];
  return { promote: all.every(({ passed }) => passed), checks: all, classes };
}

interface Judged {
  readonly checks: Check[];
  readonly classes: ClassComparison[];
}

function withoutChampion({ answers }: GateInput, policy: GatePolicy): Judged {
  const known = answers.filter(({ candidateRank }) => candidateRank !== null);
  return {
    checks: [judgeAlone(known, 1, policy), judgeAlone(known, 5, policy)],
    classes: classesAlone(known),
  };
}

function besideChampion(
  { answers, candidateClasses }: GateInput,
  championClasses: readonly string[],
  policy: GatePolicy,
): Judged {
  const [before, after] = [new Set(championClasses), new Set(candidateClasses)];
  const both = before.intersection(after);
  const added = [...after.difference(before)];
  const classes = Math.min(before.size, after.size);
  const shared = answers.filter(({ label }) => both.has(label));
  const byClass = compareClasses(shared, policy);
  const fresh = judgeNewClasses(answers.filter(({ label }) => added.includes(label)), {
    names: added,
    policy,
  });
  return {
    checks: [
      knowsAll([...before.difference(after)], policy),
      compareOverall(shared, { top: 1, classes }, policy),
      compareOverall(shared, { top: 5, classes }, policy),
      byClass.check,
      ...(added.length > 0 ? [fresh.check] : []),
    ],
    classes: [...byClass.classes, ...fresh.classes],
  };
}

/** Images of classes that the candidate does not know decide nothing. */
function enoughImages(answers: readonly ImageAnswer[], { minTestImages }: GatePolicy): Check {
  const images = answers.filter(({ candidateRank }) => candidateRank !== null).length;
  const passed = images >= minTestImages;
  return {
    name: "test-images",
    passed,
    reason: passed
      ? `${images} test images, at least ${minTestImages} asked`
      : `${images} test images are too few to decide on, ${minTestImages} asked (add labelled ` +
        "images, or lower minTestImages)",
    numbers: { images, least: minTestImages },
  };
}

function knowsAll(removed: readonly string[], { removedClasses }: GatePolicy): Check {
  const reason = removed.length === 0
    ? "it knows every class that the champion knows"
    : `it does not know ${removed.join(", ")}, which the champion does` +
      (removedClasses ? "" : " (add their images, or allow removedClasses)");
  return {
    name: "known-classes",
    passed: removed.length === 0 || removedClasses,
    reason,
    numbers: { removed: removed.length },
  };
}
