import type { OnnxElementType } from "../../shared/onnx/onnx_node.ts";
import type { Heap } from "./heap.ts";
import type { Kernels } from "./kernels/load_kernels.ts";
import type { TensorSink } from "./onnx_stream.ts";
import { UnsupportedError } from "./unsupported.ts";

/** Outputs side by side in a panel: see kernels/product_f32.ts. */
export const PANEL = 8;

/** Weights of a product as ONNX has them, and how the product will read its input. */
export interface WeightLayout {
  readonly kind: "f32" | "f16" | "i8" | "i4";
  /** Outputs of all groups. */
  readonly outputs: number;
  readonly groups: number;
  /** Input channels of a group. */
  readonly channels: number;
  /** [rows, columns]; 1 x 1 of a fully connected layer. */
  readonly kernel: readonly [number, number];
  /** Numbers from a tap's first channel to the next tap's, and from a row of taps to the next. */
  readonly pixelLength: number;
  readonly rowLength: number;
  /** True where ONNX has [outputs, channels, rows, columns], false where [channels, outputs]. */
  readonly outputsFirst: boolean;
  /** Of i4: weights of an output that share a scale. */
  readonly block?: number;
}

/**
 * Weights in panels: [group][panel][k][8], [k / 2][8][2] of float16, [k / 4][8][4] of int8, or
 * [k / 4][4][4] of pairs of int4.
 */
export interface PackedWeights {
  readonly layout: WeightLayout;
  readonly address: number;
  /** Bytes from one group's weights to the next's. */
  readonly groupBytes: number;
  /** Panels of a group. */
  readonly panels: number;
}

/** Numbers that the product reads for one output: those of the weights, and zeros between them. */
function windowLength({ kernel, rowLength }: WeightLayout): number {
  return kernel[0] * rowLength;
}

/** Bytes of one number. */
function sizeOf({ kind }: WeightLayout): number {
  return { f32: 4, f16: 2, i8: 1, i4: 0.5 }[kind];
}

/** Two 4-bit zeros in a panel: see kernels/product_i4.ts. */
const ZEROS_I4 = 8;

/** What makes numbers as a file stores them into those that are packed. */
interface Conversion {
  /** Bytes of a stored number, and of a packed one. */
  readonly from: number;
  readonly to: number;
  readonly kernel: "widenF16" | "widenI8" | "recodeF16";
}

function conversionOf(
  { kind }: WeightLayout,
  stored: OnnxElementType | undefined,
): Conversion | undefined {
  if (kind === "f16") return { from: 2, to: 2, kernel: "recodeF16" };
  if (kind !== "f32") return undefined;
  if (stored === "FLOAT16") return { from: 2, to: 4, kernel: "widenF16" };
  return stored === "INT8" ? { from: 1, to: 4, kernel: "widenI8" } : undefined;
}

/**
 * Space for a tensor's weights, and the sink that packs its numbers as they arrive. A few rows are
 * staged behind the heap's end, where nothing else is kept while weights arrive.
 *
 * @param stored how the numbers arrive where it is not as they are packed
 */
export function packWeights(
  heap: Heap,
  kernels: Kernels,
  layout: WeightLayout,
  stored?: OnnxElementType,
): { readonly packed: PackedWeights; readonly sink: TensorSink } {
  const { outputs, groups } = layout;
  const panels = Math.ceil(outputs / groups / PANEL);
  const size = sizeOf(layout);
  const panelBytes = windowLength(layout) * PANEL * size;
  const groupBytes = panels * panelBytes;
  const address = heap.take(groups * groupBytes);
  // What pads windows and panels is to be zeros; staged rows may have been here before.
  const numbers = outputs * layout.channels * layout.kernel[0] * layout.kernel[1];
  if (groups * groupBytes !== numbers * size) {
    kernels.fill(address, layout.kind === "i4" ? ZEROS_I4 : 0, groups * groupBytes);
  }
  const packed = { layout, address, groupBytes, panels };
  const units = layout.outputsFirst
    ? panelUnits(kernels, packed, panelBytes)
    : channelUnits(kernels, packed, panelBytes);
  const conversion = conversionOf(layout, stored);
  const arriving = conversion ? converted(heap, kernels, units, conversion) : units;
  return { packed, sink: stage(heap, arriving) };
}

/** So many bytes of the tensor, to be packed as soon as they lie at an address. */
interface Unit {
  readonly bytes: number;
  pack(from: number): void;
}

/** [outputs, channels, rows, columns]: up to eight outputs make a panel. */
function* panelUnits(
  kernels: Kernels,
  { layout, address, groupBytes, panels }: PackedWeights,
  panelBytes: number,
): Generator<Unit> {
  const { kind, groups, channels, kernel: [rows, columns], rowLength, pixelLength } = layout;
  const size = sizeOf(layout);
  const pack = kind === "f32" ? kernels.packF32 : kernels.packI8;
  const packRows = kind === "i8" ? kernels.packRowsI8 : kernels.packRowsF32;
  const groupOutputs = layout.outputs / groups;
  const channelBytes = rows * columns * size;
  const outputBytes = channels * channelBytes;
  for (let group = 0; group < groups; group++) {
    for (let panel = 0; panel < panels; panel++) {
      const outputs = Math.min(PANEL, groupOutputs - panel * PANEL);
      const to = address + group * groupBytes + panel * panelBytes;
      yield {
        bytes: outputs * outputBytes,
        pack: (from) => {
          // Two float16 move as one number of 32 bits.
          const count = kind === "f16" ? channels / 2 : channels;
          if (rows * columns === 1) return packRows(from, outputs, outputBytes, count, to);
          // deno-fmt-ignore
          pack(
            from, outputs, outputBytes, rows, columns, size, channels, channelBytes, to,
            rowLength, pixelLength,
          );
        },
      };
    }
  }
}

/** So many k of [channels, outputs] are packed at once that each panel gets a few cache lines. */
const CHANNELS_AT_ONCE = 64;

/** [channels, outputs]: some channels of every panel. */
function* channelUnits(
  kernels: Kernels,
  { layout, address }: PackedWeights,
  panelBytes: number,
): Generator<Unit> {
  const { kind, channels, outputs } = layout;
  const size = sizeOf(layout);
  const pack = {
    f32: kernels.packColumnsF32,
    f16: kernels.packColumnsF16,
    i8: kernels.packColumnsI8,
    i4: kernels.packColumnsI4,
  }[kind];
  const columns = kind === "i4" ? outputs / 2 : outputs;
  for (let channel = 0; channel < channels; channel += CHANNELS_AT_ONCE) {
    const rows = Math.min(CHANNELS_AT_ONCE, channels - channel);
    yield {
      bytes: rows * outputs * size,
      pack: (from) => pack(from, rows, columns, address + channel * PANEL * size, panelBytes),
    };
  }
}

/** Kernels that convert read and write whole vectors. */
const VECTORS = 32;

/**
 * The same units of numbers as they are stored, converted behind themselves.
 *
 * @throws {UnsupportedError} (as they are packed) for float16 weights of 128 and more.
 */
function* converted(
  heap: Heap,
  kernels: Kernels,
  units: Generator<Unit>,
  { from: storedBytes, to: packedBytes, kernel }: Conversion,
): Generator<Unit> {
  for (const unit of units) {
    const count = unit.bytes / packedBytes;
    const bytes = count * storedBytes;
    const behind = Math.ceil(bytes / VECTORS) * VECTORS;
    yield {
      bytes,
      pack: (from) => {
        const to = from + behind;
        const over = to + Math.ceil(unit.bytes / VECTORS) * VECTORS;
        heap.reach(over + VECTORS);
        heap.bytes(from + bytes, behind - bytes).fill(0);
        kernels[kernel](from, count, to, over);
        if (kernel === "recodeF16" && heap.integers(over, 4).some((large) => large !== 0)) {
          throw new UnsupportedError("float16 weights of 128 and more");
        }
        unit.pack(to);
      },
    };
  }
}

/** Fills one unit after another with the bytes that come. */
function stage(heap: Heap, units: Generator<Unit>): TensorSink {
  const at = heap.end;
  let unit: Unit | undefined;
  let filled = 0;
  return (part) => {
    let rest = part;
    while (rest.length > 0) {
      unit ??= units.next().value as Unit | undefined;
      if (unit === undefined) throw new RangeError("Cannot pack weights: more came than fit");
      heap.reach(at + unit.bytes);
      const now = rest.subarray(0, unit.bytes - filled);
      heap.bytes(at + filled, now.length).set(now);
      filled += now.length;
      rest = rest.subarray(now.length);
      if (filled < unit.bytes) return;
      unit.pack(at);
      unit = undefined;
      filled = 0;
    }
  };
}
