/**
 * LocallyConnected: a convolution that shares no weights; each place has filters and biases of its
 * own (cuda-convnet's `local`): out[n, p, o] = bias[p, o] + sum over r, s, c of in[n, y + r, x + s, c]
 * weight[p, o, c, r, s], where place p lies at [y, x] of the padded image.
 *
 * A place's filters serve a batch alone, so a thread takes four images at a time. In memory the
 * weights are [place][r][s][c][o], with c and o padded to multiples of four.
 * @module
 */
import { flatWorkgroups, specialize } from "../../gpu/kernel.ts";
import { columnSum } from "../../kernels/reduce/reduce.ts";
import {
  floatsOf,
  imageShape,
  type Init,
  only,
  type Op,
  type OpContext,
  type OpDispatch,
  type OpWork,
  type ParameterSpec,
  ref,
  type Shape,
  type TensorRef,
  updateRule,
  type UpdateRules,
} from "../op.ts";
import { expectPads, type PoolGeometry, poolGeometry, poolSizes } from "../pool_geometry.ts";
import { packBias, packWeight, unpackBias, unpackWeight } from "./locally_connected_layout.ts";
import { locallyConnectedToOnnx } from "./locally_connected_onnx.ts";
import forwardText from "./locally_connected_forward.wgsl" with { type: "text" };
import gradInputText from "./locally_connected_grad_input.wgsl" with { type: "text" };
import gradWeightText from "./locally_connected_grad_weight.wgsl" with { type: "text" };

export interface LocallyConnectedAttributes {
  readonly outChannels: number;
  /** [height, width] */
  readonly kernel: readonly [number, number];
  readonly strides?: readonly [number, number];
  /** As ONNX: [top, left, bottom, right], each smaller than the kernel. */
  readonly pads?: readonly [number, number, number, number];
  readonly weightInit: Init;
  readonly biasInit?: Init;
  readonly update?: UpdateRules;
}

/** Where the windows lie, and the output with its own channels. */
export type LocalGeometry = PoolGeometry;

const THREADS = 64;
/** Images that a thread works on. */
const IMAGES = 4;

/** @throws {RangeError} on padding as large as the kernel. */
export function locallyConnected(attributes: LocallyConnectedAttributes): Op {
  expectPads("LocallyConnected", attributes);
  const geometry = (inputs: readonly Shape[]) => geometryOf(attributes, inputs);
  return {
    type: "LocallyConnected",
    backwardReads: { inputs: true, outputs: false },
    canFuseRelu: false,
    masksGradient: false,
    outputShapes: (inputs) => [geometry(inputs).output],
    parameters: (inputs) => parametersOf(geometry(inputs), attributes),
    multiplyAdds: (inputs) => {
      const { input, output, kernel } = geometry(inputs);
      const { channels, height, width } = output;
      return height * width * channels * input.channels * kernel[0] * kernel[1];
    },
    forward: (context) => ({ dispatches: [forward(geometry(context.inputs), context)] }),
    backward: (context) => backward(geometry(context.inputs), context),
    toOnnx: (context) => locallyConnectedToOnnx(geometry(context.inputShapes), context),
  };
}

function geometryOf(
  attributes: LocallyConnectedAttributes,
  inputs: readonly Shape[],
): LocalGeometry {
  const { kernel, strides = [1, 1], pads = [0, 0, 0, 0], outChannels } = attributes;
  const input = only(inputs, "LocallyConnected");
  const windows = poolGeometry("LocallyConnected", { kernel, strides, pads }, input);
  const { height, width } = windows.output;
  return { ...windows, output: imageShape(outChannels, height, width) };
}

function parametersOf(
  g: LocalGeometry,
  { weightInit, biasInit = { kind: "constant", value: 0 }, update }: LocallyConnectedAttributes,
): ParameterSpec[] {
  const { input, output, kernel } = g;
  const places = output.height * output.width;
  return [
    {
      name: "weight",
      shape: [places, output.channels, input.channels, ...kernel],
      floats: places * kernel[0] * kernel[1] * input.stride * output.stride,
      init: weightInit,
      update: updateRule(update?.weight),
      pack: (values) => packWeight(values, g),
      unpack: (stored) => unpackWeight(stored, g),
    },
    {
      name: "bias",
      shape: [places, output.channels],
      floats: floatsOf(output),
      init: biasInit,
      update: updateRule(update?.bias),
      pack: (values) => packBias(values, g),
      unpack: (stored) => unpackBias(stored, g),
    },
  ];
}

function forward(g: LocalGeometry, context: OpContext): OpDispatch {
  const threads = Math.ceil(context.batch / IMAGES) * floatsOf(g.output) / 4;
  const buffers = [ref("input"), ref("parameter", 0), ref("parameter", 1), ref("output")];
  const constants = { BATCH: context.batch };
  return dispatch("forward", forwardText, { g, context, threads, constants }, buffers);
}

function backward(g: LocalGeometry, context: OpContext): OpWork {
  const bias = columnSum({
    rows: context.batch,
    columns: floatsOf(g.output),
    accumulate: context.accumulate,
    from: ref("gradOutput"),
    scratch: ref("scratch", 0),
    to: ref("gradParameter", 1),
    target: context.target,
  });
  const dispatches: OpDispatch[] = [...bias.dispatches, gradWeight(g, context)];
  if (context.needsGradInput[0]) dispatches.push(gradInput(g, context));
  return { dispatches, scratchBytes: [bias.scratchBytes] };
}

function gradWeight(g: LocalGeometry, context: OpContext): OpDispatch {
  const threads = floatsOf(g.output) / 4 * g.kernel[0] * g.kernel[1] * g.input.stride / 4;
  const buffers = [ref("input"), ref("gradOutput"), ref("gradParameter", 0)];
  const constants = { BATCH: context.batch, ACCUMULATE: context.accumulate };
  return dispatch("grad-weight", gradWeightText, { g, context, threads, constants }, buffers);
}

function gradInput(g: LocalGeometry, context: OpContext): OpDispatch {
  const threads = Math.ceil(context.batch / IMAGES) * floatsOf(g.input) / 4;
  const buffers = [ref("gradOutput"), ref("parameter", 0), ref("gradInput")];
  const constants = { BATCH: context.batch };
  return dispatch("grad-input", gradInputText, { g, context, threads, constants }, buffers);
}

interface Work {
  readonly g: LocalGeometry;
  readonly context: OpContext;
  readonly threads: number;
  readonly constants: Readonly<Record<string, number | boolean>>;
}

function dispatch(
  direction: string,
  text: string,
  { g, context, threads, constants }: Work,
  buffers: TensorRef[],
): OpDispatch {
  const { input: i, output: o } = g;
  const { PIXEL_VECTORS, ...sizes } = poolSizes(g);
  return {
    kernel: {
      label: `LocallyConnected ${direction} ${i.channels}x${i.height}x${i.width} -> ` +
        `${o.channels}x${o.height}x${o.width} k${g.kernel}`,
      code: specialize(text, {
        ...sizes,
        ...constants,
        THREADS: threads,
        IN_VECTORS: PIXEL_VECTORS,
        OUT_VECTORS: o.stride / 4,
      }, context.target.precision),
    },
    bindings: buffers.map((buffer) => ({ buffer })),
    workgroups: flatWorkgroups(threads, THREADS, context.target.maxWorkgroups),
  };
}
