/**
 * Conv: out[n, y, x, o] = bias[o] + sum over r, s, i of in[n, y S - top + r, x S - left + s, i]
 * weight[o, i, r, s], inputs and outputs in `group` groups that do not see each other.
 *
 * All three directions are implicit GEMMs (see `kernels/gemm/`):
 *
 * - forward:     [pixels out] x [R S I/g] x [O/g]
 * - grad-input:  [pixels in]  x [R S O/g] x [I/g]
 * - grad-weight: [R S I/g]    x [pixels out] x [O/g]
 *
 * In memory the weights are [group][r][s][i][o] with i and o padded to multiples of four.
 * @module
 */
import type { GemmTile } from "../../kernels/gemm/gemm.ts";
import {
  type Init,
  only,
  type Op,
  type ParameterSpec,
  type Shape,
  updateRule,
  type UpdateRules,
} from "../op.ts";
import { forward, gradBias, gradInput, gradWeight } from "./conv_dispatch.ts";
import { type Geometry, geometryOf } from "./conv_geometry.ts";
import { packConvWeight, unpackConvWeight } from "./conv_layout.ts";
import type { StripTile } from "./conv_strip.ts";

/** How a direction is computed: as an implicit GEMM or, on software drivers, strip by strip. */
export type ConvTile = GemmTile | StripTile;

export interface ConvAttributes {
  readonly outChannels: number;
  /** [height, width] */
  readonly kernel: readonly [number, number];
  readonly strides?: readonly [number, number];
  /** As ONNX: [top, left, bottom, right]. */
  readonly pads?: readonly [number, number, number, number];
  readonly group?: number;
  /**
   * Output sizes round up, as in cuda-convnet (`alexnet` of the original code): the bottom and the
   * right get as much more padding as that takes.
   */
  readonly ceilMode?: boolean;
  readonly weightInit: Init;
  readonly biasInit?: Init;
  readonly update?: UpdateRules;
  /** Tiles by direction instead of the cost model's. */
  readonly tiles?: Partial<Record<"forward" | "gradInput" | "gradWeight", ConvTile>>;
}

/** @throws {RangeError} on channels that do not divide into groups of a multiple of four. */
export function conv(attributes: ConvAttributes): Op {
  const { weightInit, biasInit = { kind: "constant", value: 0 }, tiles = {} } = attributes;
  const geometry = (inputs: readonly Shape[]) => geometryOf(attributes, only(inputs, "Conv"));
  return {
    type: "Conv",
    backwardReads: { inputs: true, outputs: false },
    canFuseRelu: true,
    masksGradient: true,
    outputShapes: (inputs) => [geometry(inputs).output],
    parameters: (inputs) => {
      const g = geometry(inputs);
      return [weightSpec(g, weightInit, attributes), biasSpec(g, biasInit, attributes)];
    },
    multiplyAdds: (inputs) => {
      const { output, kernel, group, input } = geometry(inputs);
      const { channels, height, width } = output;
      return channels * height * width * kernel[0] * kernel[1] * input.channels / group;
    },
    forward: (context) => forward(geometry(context.inputs), context, tiles.forward),
    backward: (context) => {
      const g = geometry(context.inputs);
      const parts = [gradBias(g, context), gradWeight(g, context, tiles.gradWeight)];
      if (context.needsGradInput[0]) parts.push(gradInput(g, context, tiles.gradInput));
      return {
        dispatches: parts.flatMap((part) => part.dispatches),
        scratchBytes: [parts[1]!.scratchBytes?.[0] ?? 0, parts[0]!.scratchBytes?.[1] ?? 0],
      };
    },
    toOnnx: ({ name, inputs, outputs, inputShapes, parameters }) => {
      const g = geometry(inputShapes);
      const [weight, bias] = parameters as [typeof parameters[0], typeof parameters[0]];
      const dims = weightShape(g);
      return {
        nodes: [{
          opType: "Conv",
          name,
          inputs: [inputs[0]!, weight.name, bias.name],
          outputs,
          attributes: {
            kernel_shape: { ints: g.kernel },
            strides: { ints: g.strides },
            pads: { ints: g.pads },
            group: { int: g.group },
          },
        }],
        initializers: [
          { name: weight.name, dims, data: weight.values },
          { name: bias.name, dims: [g.output.channels], data: bias.values },
        ],
      };
    },
  };
}

function weightShape({ input, output, kernel, group }: Geometry): number[] {
  return [output.channels, input.channels / group, ...kernel];
}

function weightSpec(g: Geometry, init: Init, attributes: ConvAttributes): ParameterSpec {
  const shape = weightShape(g);
  const layout = { shape, group: g.group, inStride: g.inStride, outStride: g.outStride };
  return {
    name: "weight",
    shape,
    floats: g.group * g.kernel[0] * g.kernel[1] * g.inStride * g.outStride,
    init,
    update: updateRule(attributes.update?.weight),
    pack: (values) => packConvWeight(values, layout),
    unpack: (stored) => unpackConvWeight(stored, layout),
  };
}

function biasSpec(g: Geometry, init: Init, attributes: ConvAttributes): ParameterSpec {
  const { channels, stride } = g.output;
  return {
    name: "bias",
    shape: [channels],
    floats: stride,
    init,
    update: updateRule(attributes.update?.bias),
    pack: (values) => {
      const stored = new Float32Array(stride);
      stored.set(values);
      return stored;
    },
    unpack: (stored) => stored.slice(0, channels),
  };
}
