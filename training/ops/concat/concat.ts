/**
 * Concat along the channels. Each input begins at a whole vector of the output, so all but the last
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
  type Op,
  type OpContext,
  PARAMETERLESS,
  ref,
  type Shape,
  type TensorRef,
} from "../op.ts";

export function concat(): Op {
  return {
    ...PARAMETERLESS,
    type: "Concat",
    backwardReads: { inputs: false, outputs: false },
    outputShapes: (inputs) => [joined(inputs)],
    forward: (context) => ({ dispatches: joinChannels(parts(context, "input", "output")) }),
    backward: (context) => ({
      dispatches: splitChannels(parts(context, "gradInput", "gradOutput"))
        .filter((_, index) => context.needsGradInput[index]),
    }),
    toOnnx: ({ name, inputs, outputs }) => ({
      nodes: [{ opType: "Concat", name, inputs, outputs, attributes: { axis: { int: 1 } } }],
      initializers: [],
    }),
  };
}

function joined(inputs: readonly Shape[]): Shape {
  const [first] = inputs;
  if (!first) throw new RangeError("Cannot apply Concat: it has no inputs");
  inputs.forEach(({ channels, height, width, flattened }, index) => {
    if (flattened) throw new RangeError(`Cannot apply Concat: input ${index} is a flattened image`);
    if (height !== first.height || width !== first.width) {
      throw new RangeError(
        `Cannot apply Concat: input ${index} is ${height} x ${width} ` +
          `(expected ${first.height} x ${first.width} as the first)`,
      );
    }
    if (index < inputs.length - 1 && channels % 4 !== 0) {
      throw new RangeError(
        `Cannot apply Concat: input ${index} has ${channels} channels ` +
          "(expected a multiple of four in all but the last)",
      );
    }
  });
  const channels = inputs.reduce((sum, input) => sum + input.channels, 0);
  return imageShape(channels, first.height, first.width);
}

function parts(
  { inputs, outputs, batch, target }: OpContext,
  part: "input" | "gradInput",
  whole: "output" | "gradOutput",
): ChannelParts<TensorRef> {
  const { height, width, stride } = outputs[0]!;
  return {
    pixels: batch * height * width,
    whole: { buffer: ref(whole), stride },
    parts: inputs.map(({ stride }, index) => ({ buffer: ref(part, index), stride })),
    target,
  };
}
