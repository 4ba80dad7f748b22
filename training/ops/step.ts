/**
 * The uniform that changes a step. Everything else in a kernel is a constant, because the graph is
 * static. A kernel declares as many of its leading fields as it reads:
 * `struct Step { learning_rate: f32, seed: u32, step: u32, part: u32, images: u32 }`.
 * @module
 */

export const STEP_BYTES = 32;

export interface StepValues {
  readonly learningRate: number;
  /** Low 32 bits are used. */
  readonly seed: number;
  /** Steps done before this one. */
  readonly step: number;
  /** Which part of a batch that is worked on in parts. */
  readonly part: number;
  /** Images of this part that count; the rest is padding at the end of a split. */
  readonly images: number;
}

export function encodeStep(values: StepValues): ArrayBuffer {
  const bytes = new ArrayBuffer(STEP_BYTES);
  writeStep(new DataView(bytes), values, values.part, values.images);
  return bytes;
}

/** As {@link encodeStep}, into memory that is there: a training step allocates nothing. */
export function writeStep(
  view: DataView,
  at: Pick<StepValues, "learningRate" | "seed" | "step">,
  part: number,
  images: number,
): void {
  view.setFloat32(0, at.learningRate, true);
  view.setUint32(4, at.seed >>> 0, true);
  view.setUint32(8, at.step, true);
  view.setUint32(12, part, true);
  view.setUint32(16, images, true);
}
