import { contactSheet } from "../dataset/shapes/contact_sheet.ts";
import type { Graph } from "../graph/graph.ts";
import type { ParameterValues } from "../graph/parameters.ts";

/** Pixels that a filter's side is drawn with at least. */
const SIDE = 44;
const COLUMNS = 16;

export interface FilterSheet {
  readonly name: string;
  readonly count: number;
  /** Weights of a side. */
  readonly size: number;
  readonly png: Uint8Array;
}

/**
 * The first convolution's filters as pictures in rows of 16, so that the 96 of AlexNet are six rows,
 * three for each tower; null where they do not look at colours or brightness.
 */
export function firstLayerFilters(graph: Graph, values: ParameterValues): FilterSheet | null {
  const first = graph.nodes.find(({ parameters }) => parameters.length > 0);
  const shape = first?.parameters[0]?.shape;
  if (first?.op.type !== "Conv" || shape?.length !== 4) return null;
  const [count, channels, size] = shape as [number, number, number, number];
  if (channels !== 1 && channels !== 3) return null;
  const name = `${first.name}.weight`;
  const weights = values.get(name)!;
  const scale = Math.max(1, Math.ceil(SIDE / size));
  const pictures = Array.from({ length: count }, (_, filter) => {
    const length = channels * size * size;
    return drawFilter(weights.subarray(filter * length, (filter + 1) * length), size, scale);
  });
  const columns = Math.min(COLUMNS, count);
  return { name, count, size, png: contactSheet(pictures, { side: size * scale, columns }) };
}

/** Each filter has its own scale: its smallest weight is black, its largest white. */
function drawFilter(weights: Float32Array, size: number, scale: number): Uint8Array {
  const [low, high] = [Math.min(...weights), Math.max(...weights)];
  const side = size * scale;
  const picture = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      for (let c = 0; c < 3; c++) {
        const plane = weights.length === size * size ? 0 : c * size * size;
        const weight = weights[plane + Math.floor(y / scale) * size + Math.floor(x / scale)]!;
        const level = high > low ? (weight - low) / (high - low) : 0.5;
        picture[(y * side + x) * 3 + c] = Math.round(255 * level);
      }
    }
  }
  return picture;
}
