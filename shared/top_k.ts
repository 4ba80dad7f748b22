export interface RankedClass {
  /** Position in the network's output. */
  readonly index: number;
  readonly probability: number;
}

/**
 * The k most probable classes, best first; equal probabilities in the order of their indices. `k` is
 * clamped to the number of classes.
 *
 * @param probabilities one value for each class [classes]
 * @throws {RangeError} when k is not a positive integer or a probability is NaN.
 */
export function topK(probabilities: Float32Array, k: number): RankedClass[] {
  if (!Number.isInteger(k) || k < 1) {
    throw new RangeError(`Cannot rank classes: k is ${k} (expected a positive integer)`);
  }
  // An insertion into k places: for 5 of 1,000 classes far cheaper than sorting all of them.
  const best: RankedClass[] = [];
  for (let index = 0; index < probabilities.length; index++) {
    const probability = probabilities[index]!;
    if (Number.isNaN(probability)) {
      throw new RangeError(`Cannot rank classes: the probability of class ${index} is NaN`);
    }
    let place = best.length;
    while (place > 0 && best[place - 1]!.probability < probability) place--;
    if (place >= k) continue;
    best.splice(place, 0, { index, probability });
    if (best.length > k) best.pop();
  }
  return best;
}
