/** Where the windows of a pooling lie: the rule of sizes that MaxPool and AveragePool share. */
import { imageShape, type Shape } from "./op.ts";

export interface PoolAttributes {
  /** [height, width] */
  readonly kernel: readonly [number, number];
  readonly strides?: readonly [number, number];
  /** As ONNX: [top, left, bottom, right], each smaller than the kernel; never part of a result. */
  readonly pads?: readonly [number, number, number, number];
  /** Output sizes round up; a window must still begin before the padding at the end. */
  readonly ceilMode?: boolean;
}

export interface PoolGeometry {
  readonly input: Shape;
  readonly output: Shape;
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  /** [top, left, bottom, right] with which rounding down gives the output's size. */
  readonly pads: readonly [number, number, number, number];
}

/** @throws {RangeError} on padding as large as the kernel, which leaves windows without an image. */
export function expectPads(what: string, { kernel, pads = [0, 0, 0, 0] }: PoolAttributes): void {
  if (pads.some((padding, side) => padding < 0 || padding >= kernel[side % 2]!)) {
    throw new RangeError(
      `Cannot make ${what}: pads [${pads}] (expected 0 or more, less than the kernel [${kernel}])`,
    );
  }
}

/** @throws {RangeError} where no window fits into the padded image. */
export function poolGeometry(
  what: string,
  attributes: PoolAttributes,
  input: Shape,
): PoolGeometry {
  const { kernel, strides = kernel, pads = [0, 0, 0, 0], ceilMode = false } = attributes;
  const [height, bottom] = alongAxis(input.height, kernel[0], strides[0], pads[0], pads[2]);
  const [width, right] = alongAxis(input.width, kernel[1], strides[1], pads[1], pads[3]);
  return {
    input,
    output: imageShape(input.channels, height, width),
    kernel,
    strides,
    pads: [pads[0], pads[1], bottom, right],
  };

  /** Windows and the padding at the end which holds them. */
  function alongAxis(size: number, window: number, stride: number, begin: number, end: number) {
    const steps = (begin + size + end - window) / stride;
    if (steps < 0) {
      throw new RangeError(
        `Cannot apply ${what}: a window of ${window} does not fit into ${begin + size + end}`,
      );
    }
    if (!ceilMode) return [Math.floor(steps) + 1, end] as const;
    let windows = Math.ceil(steps) + 1;
    if ((windows - 1) * stride >= begin + size) windows--;
    return [windows, Math.max(0, (windows - 1) * stride + window - begin - size)] as const;
  }
}

/** The constants of a pooling kernel. */
export function poolSizes(g: PoolGeometry) {
  return {
    IN_HEIGHT: g.input.height,
    IN_WIDTH: g.input.width,
    OUT_HEIGHT: g.output.height,
    OUT_WIDTH: g.output.width,
    PIXEL_VECTORS: g.input.stride / 4,
    KERNEL_HEIGHT: g.kernel[0],
    KERNEL_WIDTH: g.kernel[1],
    STRIDE_Y: g.strides[0],
    STRIDE_X: g.strides[1],
    PAD_TOP: g.pads[0],
    PAD_LEFT: g.pads[1],
  };
}

/**
 * Backward works block by block, one as large as the strides, because the same windows lie over all
 * of it: how many blocks there are, and how many windows reach into one.
 */
export function poolBlocks({ input, kernel, strides, pads }: PoolGeometry) {
  return {
    BLOCKS_Y: Math.ceil((pads[0] + input.height) / strides[0]),
    BLOCKS_X: Math.ceil((pads[1] + input.width) / strides[1]),
    REACH_Y: Math.ceil(kernel[0] / strides[0]),
    REACH_X: Math.ceil(kernel[1] / strides[1]),
  };
}

export function describePool(what: string, g: PoolGeometry): string {
  const { input: i, output: o } = g;
  return `${what} ${i.channels}x${i.height}x${i.width} -> ${o.height}x${o.width} ` +
    `k${g.kernel} s${g.strides}`;
}

/**
 * ONNX attributes. Padding in place of ceil_mode: up to operator set 21 the specification lets a
 * window begin in the padding at the end, and runtimes differ.
 */
export function poolOnnxAttributes({ kernel, strides, pads }: PoolGeometry) {
  return { kernel_shape: { ints: kernel }, strides: { ints: strides }, pads: { ints: pads } };
}
