/**
 * Split along the channels. Each output begins at a whole vector of the input, so all but the last
 * have a multiple of four channels.
 * @module
 */
import {
  type ChannelParts,
  joinChannels,
  splitChannels,
} from "../../kernels/copy/copy_channels.ts";
import {
  imageShape,
  NO_WORK,
  only,
  type Op,
  type OpContext,
  PARAMETERLESS,
  ref,
  type Shape,
  type TensorRef,
} from "../op.ts";

export interface SplitAttributes {
  /** Channels of each output; together those of the input. */
  readonly sizes: readonly number[];
}

/** @throws {RangeError} on sizes that are no multiples of four, the last excepted. */
export function split({ sizes }: SplitAttributes): Op {
  sizes.forEach((size, index) => {
    if (index < sizes.length - 1 && size % 4 !== 0) {
      throw new RangeError(
        `Cannot make Split: size ${index} is ${size} (expected multiples of four, but for the last)`,
      );
    }
  });
  return {
    ...PARAMETERLESS,
    type: "Split",
    backwardReads: { inputs: false, outputs: false },
    outputShapes: (inputs) => outputShapes(sizes, only(inputs, "Split")),
    forward: (context) => ({ dispatches: splitChannels(parts(context, "output", "input")) }),
    backward: (context) =>
      context.needsGradInput[0]
        ? { dispatches: joinChannels(parts(context, "gradOutput", "gradInput")) }
        : NO_WORK,
    toOnnx: ({ name, inputs, outputs }) => {
      const second = `${name}/sizes`;
      return {
        nodes: [{
          opType: "Split",
          name,
          inputs: [inputs[0]!, second],
          outputs,
          attributes: { axis: { int: 1 } },
        }],
        initializers: [
          { name: second, dims: [sizes.length], data: BigInt64Array.from(sizes, BigInt) },
        ],
      };
    },
  };
}

function outputShapes(sizes: readonly number[], input: Shape): Shape[] {
  const { channels, height, width, flattened } = input;
  if (flattened) throw new RangeError("Cannot apply Split: its input is a flattened image");
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total !== channels) {
    throw new RangeError(`Cannot apply Split: sizes add up to ${total} (expected ${channels})`);
  }
  return sizes.map((size) => imageShape(size, height, width));
}

function parts(
  { inputs, outputs, batch, target }: OpContext,
  part: "output" | "gradOutput",
  whole: "input" | "gradInput",
): ChannelParts<TensorRef> {
  const { height, width, stride } = inputs[0]!;
  return {
    pixels: batch * height * width,
    whole: { buffer: ref(whole), stride },
    parts: outputs.map(({ stride }, index) => ({ buffer: ref(part, index), stride })),
    target,
  };
}
