import { imageShape, type Shape } from "../op.ts";
import type { ConvAttributes } from "./conv.ts";

/** All sizes of one convolution, once. */
export interface Geometry {
  readonly input: Shape;
  readonly output: Shape;
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  /** [top, left, bottom, right], with what ceil mode adds. */
  readonly pads: readonly [number, number, number, number];
  readonly group: number;
  /** Channels of a group in memory. */
  readonly inStride: number;
  readonly outStride: number;
}

/** @throws {RangeError} where channels do not divide into groups or the window does not fit. */
export function geometryOf(attributes: ConvAttributes, input: Shape): Geometry {
  const { outChannels, kernel, strides = [1, 1], pads = [0, 0, 0, 0], group = 1 } = attributes;
  const { ceilMode = false } = attributes;
  if (input.flattened) {
    throw new RangeError("Cannot apply Conv: its input is flattened (expected an image)");
  }
  for (const [what, channels] of [["input", input.channels], ["output", outChannels]] as const) {
    if (channels % group !== 0 || (group > 1 && channels / group % 4 !== 0)) {
      throw new RangeError(
        `Cannot apply Conv: ${channels} ${what} channels in ${group} groups ` +
          `(expected a multiple of four channels a group)`,
      );
    }
  }
  const [top, left, bottom, right] = pads;
  const [height, extraBottom] = outputSize(
    input.height + top + bottom,
    kernel[0],
    strides[0],
    ceilMode,
  );
  const [width, extraRight] = outputSize(
    input.width + left + right,
    kernel[1],
    strides[1],
    ceilMode,
  );
  const output = imageShape(outChannels, height, width);
  return {
    input,
    output,
    kernel,
    strides,
    pads: [top, left, bottom + extraBottom, right + extraRight],
    group,
    inStride: input.stride / group,
    outStride: output.stride / group,
  };
}

/** Output size and the padding that rounding up adds at the end. */
function outputSize(padded: number, kernel: number, stride: number, ceilMode: boolean) {
  const steps = (padded - kernel) / stride;
  if (steps < 0) {
    throw new RangeError(`Cannot apply Conv: a window of ${kernel} does not fit into ${padded}`);
  }
  const size = 1 + (ceilMode ? Math.ceil(steps) : Math.floor(steps));
  return [size, Math.max(0, (size - 1) * stride + kernel - padded)] as const;
}
