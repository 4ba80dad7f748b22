/**
 * Weights between ONNX's [out, in] and memory's column panels: [panel][in][128 outputs], the last
 * panel narrower, `in` in the order of the engine's NHWC and padded. A panel is read from front to
 * back: plain rows of 4,096 outputs lie 16 KiB apart, which maps every row to the same few cache
 * lines. Whole panels are also where a matrix over the adapter's binding limit is cut.
 * @module
 */
import type { Shape } from "../op.ts";

export const PANEL = 128;

/** Place of input number c of ONNX (channel, row, column of a flattened image) in memory's order. */
export function inputPlace(input: Shape, c: number): number {
  const image = input.flattened;
  if (!image) return c;
  const pixels = image.height * image.width;
  return c % pixels * image.stride + Math.floor(c / pixels);
}

export interface GemmLayout {
  readonly input: Shape;
  readonly outputs: number;
  readonly outStride: number;
}

export function packGemmWeight(
  values: Float32Array,
  layout: GemmLayout,
): Float32Array<ArrayBuffer> {
  const stored = new Float32Array(layout.input.stride * layout.outStride);
  eachWeight(layout, (index, place) => stored[place] = values[index]!);
  return stored;
}

export function unpackGemmWeight(
  stored: Float32Array,
  layout: GemmLayout,
): Float32Array<ArrayBuffer> {
  const values = new Float32Array(layout.input.channels * layout.outputs);
  eachWeight(layout, (index, place) => values[index] = stored[place]!);
  return values;
}

function eachWeight(layout: GemmLayout, visit: (index: number, place: number) => void): void {
  const { input, outputs, outStride } = layout;
  const places = Uint32Array.from({ length: input.channels }, (_, c) => inputPlace(input, c));
  for (let o = 0; o < outputs; o++) {
    const panel = Math.floor(o / PANEL);
    const width = Math.min(PANEL, outStride - panel * PANEL);
    const base = panel * PANEL * input.stride + o % PANEL;
    for (let c = 0; c < input.channels; c++) {
      visit(o * input.channels + c, base + places[c]! * width);
    }
  }
}
