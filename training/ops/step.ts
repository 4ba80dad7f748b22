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
  const view = new DataView(bytes);
  view.setFloat32(0, values.learningRate, true);
  view.setUint32(4, values.seed >>> 0, true);
  view.setUint32(8, values.step, true);
  view.setUint32(12, values.part, true);
  view.setUint32(16, values.images, true);
  return bytes;
}
