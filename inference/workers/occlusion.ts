import type { PreprocessSpec } from "../../shared/image/preprocess.ts";

/** Patches along a side: 36 runs show where an object is, and take a second or two. */
export const PATCHES = 6;

/**
 * The input itself and, row by row of a 6 x 6 grid, the input with a square of twice a patch's side
 * around that patch set to the mean colour (Zeiler and Fergus 2014, section 4.2).
 */
export function occluded(
  input: Float32Array<ArrayBuffer>,
  { crop, channels }: Pick<PreprocessSpec, "crop" | "channels">,
): Float32Array<ArrayBuffer>[] {
  const result = [input];
  const patch = crop / PATCHES;
  const bound = (value: number) => Math.min(crop, Math.max(0, Math.round(value)));
  for (let row = 0; row < PATCHES; row++) {
    for (let column = 0; column < PATCHES; column++) {
      const [left, right] = [bound((column - 0.5) * patch), bound((column + 1.5) * patch)];
      const [top, bottom] = [bound((row - 0.5) * patch), bound((row + 1.5) * patch)];
      const covered = new Float32Array(input);
      for (let channel = 0; channel < channels; channel++) {
        for (let y = top; y < bottom; y++) {
          const start = (channel * crop + y) * crop;
          // The mean colour is 0 once it is subtracted.
          covered.fill(0, start + left, start + right);
        }
      }
      result.push(covered);
    }
  }
  return result;
}

/**
 * How much each patch holds the answer up, 0 to 1, [PATCHES, PATCHES]: what covering it takes from
 * the probability of the best class, in parts of the most that any patch takes.
 *
 * @param probabilities of the inputs of `occluded`, [1 + PATCHES², classes]
 */
export function heat(probabilities: Float32Array, classes: number): Float32Array {
  const best = probabilities.subarray(0, classes).reduce(
    (best, value, index, all) => value > all[best]! ? index : best,
    0,
  );
  const whole = probabilities[best]!;
  const drops = Float32Array.from(
    { length: PATCHES * PATCHES },
    (_, patch) => Math.max(0, whole - probabilities[(patch + 1) * classes + best]!),
  );
  const most = drops.reduce((most, drop) => Math.max(most, drop), 0);
  return most === 0 ? drops : drops.map((drop) => drop / most);
}
