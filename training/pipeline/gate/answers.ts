/** What champion and candidate answered about the same test images. */
import type { PairedCounts } from "./paired_comparison.ts";

/** One test image and where each model put its label. */
export interface ImageAnswer {
  /** What names the image: its content's hash or its file. */
  readonly image: string;
  readonly label: string;
  /** Place of the label among the model's answers, 0 the first; null where it does not know it. */
  readonly championRank: number | null;
  readonly candidateRank: number | null;
}

/** A model, its classes and what it answered about each of some images. */
export interface ModelAnswers {
  readonly classes: readonly string[];
  /** [images]; null where the model does not know the image's label. */
  readonly ranks: readonly (number | null)[];
}

export type Top = 1 | 5;

/**
 * Puts two models' answers about the same images beside each other.
 *
 * @throws {RangeError} where a model answered about another number of images, or has no answer
 * about a label that it knows.
 */
export function pairAnswers(
  images: readonly { readonly image: string; readonly label: string }[],
  models: { readonly champion: ModelAnswers | null; readonly candidate: ModelAnswers },
): ImageAnswer[] {
  const champion = models.champion && ranksOf("champion", models.champion, images);
  const candidate = ranksOf("candidate", models.candidate, images);
  return images.map(({ image, label }, i) => ({
    image,
    label,
    championRank: champion?.[i] ?? null,
    candidateRank: candidate[i] ?? null,
  }));
}

function ranksOf(
  who: string,
  { classes, ranks }: ModelAnswers,
  images: readonly { readonly image: string; readonly label: string }[],
): readonly (number | null)[] {
  const refuse = (why: string) => new RangeError(`Cannot compare models: the ${who} ${why}`);
  if (ranks.length !== images.length) {
    throw refuse(`answered about ${ranks.length} images, not ${images.length} (ask it again)`);
  }
  const known = new Set(classes);
  images.forEach(({ image, label }, i) => {
    if (known.has(label) === (ranks[i] !== null)) return;
    throw refuse(
      known.has(label)
        ? `has no answer about ${image}, though it knows ${label}`
        : `has an answer about ${image}, though it does not know ${label}`,
    );
  });
  return ranks;
}

export function isRight(rank: number | null, top: Top): boolean {
  return rank !== null && rank < top;
}

/** On how many images the candidate does better, and worse, than the champion. */
export function countPairs(answers: readonly ImageAnswer[], top: Top): PairedCounts {
  let [gained, lost] = [0, 0];
  for (const { championRank, candidateRank } of answers) {
    const [before, after] = [isRight(championRank, top), isRight(candidateRank, top)];
    if (after && !before) gained++;
    if (before && !after) lost++;
  }
  return { images: answers.length, gained, lost };
}
