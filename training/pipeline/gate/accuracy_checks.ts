/** Checks of a candidate's accuracy: overall beside the champion, by class, and alone. */
import { percent } from "../../../shared/percent.ts";
import { wilsonInterval } from "../../evaluation/wilson.ts";
import { countPairs, type ImageAnswer, isRight, type Top } from "./answers.ts";
import type { Check, ClassComparison } from "./decision.ts";
import { holm } from "./holm.ts";
import {
  differenceInterval,
  imagesNeeded,
  lossMidP,
  mcnemar,
  nonInferiorityP,
} from "./paired_comparison.ts";
import type { GatePolicy } from "./policy.ts";

/** Among five classes or fewer every label is one of the first five answers. */
const TOP5_SAYS_NOTHING = 5;

/**
 * Top-1 or top-5 on the images whose label both know: passed where the images refute that the
 * candidate is worse by the margin or more.
 *
 * @param classes number of classes of the model that has fewer
 */
export function compareOverall(
  answers: readonly ImageAnswer[],
  { top, classes }: { readonly top: Top; readonly classes: number },
  policy: GatePolicy,
): Check {
  const name = `top-${top}` as const;
  if (top === 5 && classes <= TOP5_SAYS_NOTHING) {
    const reason = `top-5 says nothing where a model has ${classes} classes: not compared`;
    return { name, passed: true, reason, numbers: {} };
  }
  if (answers.length === 0) {
    return { name, passed: false, reason: `${name}: no test image to compare on`, numbers: {} };
  }
  const margin = top === 1 ? policy.top1Margin : policy.top5Margin;
  const { significance } = policy;
  const counts = countPairs(answers, top);
  const p = nonInferiorityP(counts, margin);
  const [low, high] = differenceInterval(counts, significance);
  const right = (ranks: (answer: ImageAnswer) => number | null) =>
    answers.filter((answer) => isRight(ranks(answer), top)).length / answers.length;
  const champion = right(({ championRank }) => championRank);
  const candidate = right(({ candidateRank }) => candidateRank);
  const passed = p < significance;
  const seen = `${name}: ${percent(candidate)} right, champion ${percent(champion)} on the same ` +
    `${counts.images} images (${counts.gained} gained, ${counts.lost} lost; difference ` +
    `${percent(low)} to ${percent(high)})`;
  const needed = passed ? null : imagesNeeded(counts, { margin, significance });
  const verdict = passed
    ? `at most ${percent(margin)} worse is shown (p = ${p.toPrecision(2)})`
    : `it is not shown to be at most ${percent(margin)} worse (p = ${p.toPrecision(2)}, asked ` +
      `${significance}${needed === null ? "" : `; about ${needed} images would have shown it`})`;
  const { exact, midP } = mcnemar(counts);
  return {
    name,
    passed,
    reason: `${seen}: ${verdict}`,
    numbers: {
      ...counts,
      ...{ champion, candidate, difference: candidate - champion, low, high, margin, p },
      ...{ mcnemarExact: exact, mcnemarMidP: midP },
    },
  };
}

/**
 * Each class that both know, by first answers. A class fails where it fell by more than the policy
 * allows and the fall is no accident: McNemar's mid-p on its own images, one-sided, adjusted for the
 * number of classes. So a class of four images cannot refuse a candidate by one unlucky image, and
 * with 1,000 classes fifty do not look worse by chance; a class that is lost altogether is noticed
 * from ten images on among 100 classes, from 14 among 1,000. Falls that may be accidents are named
 * without refusing.
 */
export function compareClasses(
  answers: readonly ImageAnswer[],
  policy: GatePolicy,
): { check: Check; classes: ClassComparison[] } {
  const groups = [...Map.groupBy(answers, ({ label }) => label)];
  const counts = groups.map(([, images]) => countPairs(images, 1));
  const ps = holm(counts.map(lossMidP));
  const classes = groups.map(([name, images], i) => ({
    name,
    images: images.length,
    champion: accuracyOf(images.map(({ championRank }) => championRank)),
    candidate: accuracyOf(images.map(({ candidateRank }) => candidateRank)),
    p: ps[i]!,
  })).sort((a, b) => fallOf(b) - fallOf(a) || (a.name < b.name ? -1 : 1));
  const fallen = classes.filter((entry) => fallOf(entry) > policy.maxClassFall);
  const shown = fallen.filter(({ p }) => p < policy.significance);
  const limit = percent(policy.maxClassFall);
  const reason = shown.length > 0
    ? `${listed(shown)} fell by more than ${limit}`
    : fallen.length > 0
    ? `no class is shown to have fallen by more than ${limit}; ${listed(fallen)} may have by ` +
      "accident"
    : `no class fell by more than ${limit}`;
  const numbers = {
    classes: classes.length,
    fallen: fallen.length,
    shown: shown.length,
    largestFall: classes[0] ? fallOf(classes[0]) : null,
  };
  return { check: { name: "each-class", passed: shown.length === 0, reason, numbers }, classes };
}

/** Classes that the champion does not know, together against an absolute threshold. */
export function judgeNewClasses(
  answers: readonly ImageAnswer[],
  { names, policy }: { readonly names: readonly string[]; readonly policy: GatePolicy },
): { check: Check; classes: ClassComparison[] } {
  const { newClassMaxTop1Error: most, minNewClassImages } = policy;
  const groups = Map.groupBy(answers, ({ label }) => label);
  const classes = names.map((name) => {
    const ranks = (groups.get(name) ?? []).map(({ candidateRank }) => candidateRank);
    return { name, images: ranks.length, champion: null, candidate: accuracyOf(ranks), p: null };
  });
  const scarce = classes.filter(({ images }) => images < minNewClassImages);
  const errors = answers.filter(({ candidateRank }) => !isRight(candidateRank, 1)).length;
  const error = answers.length === 0 ? null : errors / answers.length;
  const called = names.join(", ");
  const reason = scarce.length > 0
    ? `new classes: too few test images of ${
      scarce.map(({ name, images }) => `${name} (${images})`).join(", ")
    } to judge them, ${minNewClassImages} asked of each`
    : `new classes ${called}: top-1 error ${withInterval(errors, answers.length)}, ` +
      `at most ${percent(most)} allowed`;
  const passed = scarce.length === 0 && (error ?? 0) <= most;
  const numbers = { classes: names.length, images: answers.length, error, most };
  return { check: { name: "new-classes", passed, reason, numbers }, classes };
}

/** Top-1 or top-5 error against an absolute threshold: there is no champion yet. */
export function judgeAlone(
  answers: readonly ImageAnswer[],
  top: Top,
  policy: GatePolicy,
): Check {
  const most = top === 1 ? policy.maxTop1Error : policy.maxTop5Error;
  const errors = answers.filter(({ candidateRank }) => !isRight(candidateRank, top)).length;
  const error = answers.length === 0 ? 1 : errors / answers.length;
  return {
    name: `absolute-top-${top}`,
    passed: error <= most,
    reason: `top-${top} error ${withInterval(errors, answers.length)}, at most ${
      percent(most)
    } allowed (no champion to compare with)`,
    numbers: { images: answers.length, error, most },
  };
}

/** How each class fares where there is nothing to compare with. */
export function classesAlone(answers: readonly ImageAnswer[]): ClassComparison[] {
  return [...Map.groupBy(answers, ({ label }) => label)].map(([name, images]) => ({
    name,
    images: images.length,
    champion: null,
    candidate: accuracyOf(images.map(({ candidateRank }) => candidateRank)),
    p: null,
  })).sort((a, b) => (a.candidate ?? 0) - (b.candidate ?? 0) || (a.name < b.name ? -1 : 1));
}

function accuracyOf(ranks: readonly (number | null)[]): number | null {
  return ranks.length === 0 ? null : ranks.filter((rank) => isRight(rank, 1)).length / ranks.length;
}

function fallOf({ champion, candidate }: ClassComparison): number {
  return (champion ?? 0) - (candidate ?? 0);
}

function listed(classes: readonly ClassComparison[]): string {
  return classes.slice(0, 5).map(({ name, images, champion, candidate, p }) =>
    `${name} (${percent(champion ?? 0)} to ${percent(candidate ?? 0)} right on ${images} images, ` +
    `p = ${p?.toPrecision(2)})`
  ).join(", ") + (classes.length > 5 ? ` and ${classes.length - 5} more` : "");
}

function withInterval(errors: number, images: number): string {
  const [low, high] = wilsonInterval(errors, images);
  return `${percent(images === 0 ? 1 : errors / images)} on ${images} images ` +
    `(${percent(low)} to ${percent(high)})`;
}
