/** Weights between ONNX's [out, in / group, r, s] and memory's [group][r][s][in][out], padded. */

export interface ConvLayout {
  readonly shape: readonly number[];
  readonly group: number;
  /** Channels of a group in memory. */
  readonly inStride: number;
  readonly outStride: number;
}

export function packConvWeight(
  values: Float32Array,
  layout: ConvLayout,
): Float32Array<ArrayBuffer> {
  const [, , height, width] = layout.shape as [number, number, number, number];
  const stored = new Float32Array(
    layout.group * height * width * layout.inStride * layout.outStride,
  );
  eachWeight(layout, (index, place) => stored[place] = values[index]!);
  return stored;
}

export function unpackConvWeight(
  stored: Float32Array,
  layout: ConvLayout,
): Float32Array<ArrayBuffer> {
  const values = new Float32Array(layout.shape.reduce((product, size) => product * size, 1));
  eachWeight(layout, (index, place) => values[index] = stored[place]!);
  return values;
}

function eachWeight(layout: ConvLayout, visit: (index: number, place: number) => void): void {
  const [out, inputs, height, width] = layout.shape as [number, number, number, number];
  const perGroup = out / layout.group;
  let index = 0;
  for (let o = 0; o < out; o++) {
    const group = Math.floor(o / perGroup);
    for (let i = 0; i < inputs; i++) {
      for (let r = 0; r < height; r++) {
        for (let s = 0; s < width; s++, index++) {
          const row = ((group * height + r) * width + s) * layout.inStride + i;
          visit(index, row * layout.outStride + o % perGroup);
        }
      }
    }
  }
}
