import { topK } from "../../shared/top_k.ts";

export interface Agreement {
  readonly images: number;
  /** Fraction of images with the same first answer. */
  readonly top1: number;
  /** Fraction of images whose first answer by the original is among the variant's first five. */
  readonly top5: number;
  /** Mean share of the original's first five answers that are among the variant's first five. */
  readonly fiveShared: number;
}

/** How alike two networks answer: probabilities [images, classes] of each. */
export function agreementOf(
  original: Float32Array,
  variant: Float32Array,
  classes: number,
): Agreement {
  const images = original.length / classes;
  let [same, among, shared, asked] = [0, 0, 0, 0];
  for (let image = 0; image < images; image++) {
    const [ours, theirs] = [original, variant].map((answers) =>
      topK(answers.subarray(image * classes, (image + 1) * classes), 5).map(({ index }) => index)
    ) as [number[], number[]];
    if (ours[0] === theirs[0]) same++;
    if (theirs.includes(ours[0]!)) among++;
    shared += ours.filter((index) => theirs.includes(index)).length;
    asked += ours.length;
  }
  return {
    images,
    top1: same / images,
    top5: among / images,
    fiveShared: shared / asked,
  };
}
