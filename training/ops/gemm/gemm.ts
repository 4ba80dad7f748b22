/**
 * Gemm, the fully connected layer: out[n, o] = bias[o] + sum over c of in[n, c] weight[o, c].
 *
 * - forward:     [batch]  x [inputs] x [outputs]
 * - grad-input:  [batch]  x [outputs] x [inputs]
 * - grad-weight: [inputs] x [batch]  x [outputs]
 *
 * A weight matrix over the adapter's binding limit (fc6 of AlexNet is 151 MB) is cut into slabs of
 * whole panels, a dispatch each; grad-input adds the slabs up.
 * @module
 */
import { type Binding, type Constants, specialize } from "../../gpu/kernel.ts";
import { gemmKernel, type GemmTile, rankGemmTiles } from "../../kernels/gemm/gemm.ts";
import type { GemmProblem } from "../../kernels/gemm/problem.ts";
import { operandBinding, operandText } from "../../kernels/operand.ts";
import { columnSum } from "../../kernels/reduce/reduce.ts";
import { keySuffix, pickTile, tileName } from "../../kernels/tile.ts";
import {
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
import { packGemmWeight, PANEL, unpackGemmWeight } from "./gemm_layout.ts";
import forwardText from "./gemm_forward.wgsl" with { type: "text" };
import gradInputText from "./gemm_grad_input.wgsl" with { type: "text" };
import gradWeightText from "./gemm_grad_weight.wgsl" with { type: "text" };

export interface GemmAttributes {
  readonly outputs: number;
  readonly weightInit: Init;
  readonly biasInit?: Init;
  readonly update?: UpdateRules;
  /** Tiles by direction instead of the cost model's. */
  readonly tiles?: Partial<Record<"forward" | "gradInput" | "gradWeight", GemmTile>>;
}

/** Panels `first` to `first + count` of the weights: as many as one binding may cover. */
interface Slab {
  readonly firstOutput: number;
  readonly outputs: number;
  /** Numbers from the start of the weights, and how many. */
  readonly first: number;
  readonly count: number;
}

export function gemm(attributes: GemmAttributes): Op {
  const { outputs, tiles = {} } = attributes;
  return {
    type: "Gemm",
    backwardReads: { inputs: true, outputs: false },
    canFuseRelu: true,
    masksGradient: true,
    outputShapes: (inputs) => {
      inputOf(inputs);
      return [imageShape(outputs, 1, 1)];
    },
    parameters: (inputs) => parameters(attributes, inputOf(inputs)),
    multiplyAdds: (inputs) => inputOf(inputs).channels * outputs,
    forward: (context) => ({
      dispatches: slabsOf(context).map((slab) => forward(context, slab, tiles.forward)),
    }),
    backward: (context) => backward(context, tiles),
    toOnnx: ({ name, inputs, outputs: outputNames, inputShapes, parameters }) => {
      const [weight, bias] = parameters as [typeof parameters[0], typeof parameters[0]];
      return {
        nodes: [{
          opType: "Gemm",
          name,
          inputs: [inputs[0]!, weight.name, bias.name],
          outputs: outputNames,
          attributes: { transB: { int: 1 } },
        }],
        initializers: [
          {
            name: weight.name,
            dims: [outputs, inputOf(inputShapes).channels],
            data: weight.values,
          },
          { name: bias.name, dims: [outputs], data: bias.values },
        ],
      };
    },
  };
}

function inputOf(inputs: readonly Shape[]): Shape {
  const input = only(inputs, "Gemm");
  if (input.height !== 1 || input.width !== 1) {
    throw new RangeError(
      `Cannot apply Gemm: input is ${input.channels} x ${input.height} x ${input.width} ` +
        `(flatten it first)`,
    );
  }
  return input;
}

function parameters(attributes: GemmAttributes, input: Shape): ParameterSpec[] {
  const { outputs, weightInit, biasInit = { kind: "constant", value: 0 } } = attributes;
  const outStride = imageShape(outputs, 1, 1).stride;
  const layout = { input, outputs, outStride };
  return [
    {
      name: "weight",
      shape: [outputs, input.channels],
      floats: input.stride * outStride,
      init: weightInit,
      update: updateRule(attributes.update?.weight),
      pack: (values) => packGemmWeight(values, layout),
      unpack: (stored) => unpackGemmWeight(stored, layout),
    },
    {
      name: "bias",
      shape: [outputs],
      floats: outStride,
      init: biasInit,
      update: updateRule(attributes.update?.bias),
      pack: (values) => {
        const stored = new Float32Array(outStride);
        stored.set(values);
        return stored;
      },
      unpack: (stored) => stored.slice(0, outputs),
    },
  ];
}

function slabsOf({ inputs, outputs, target }: OpContext): Slab[] {
  const rows = inputs[0]!.stride;
  const columns = outputs[0]!.stride;
  const panels = rows * columns * 4 <= target.maxBindingBytes
    ? Math.ceil(columns / PANEL)
    : Math.floor(target.maxBindingBytes / (rows * PANEL * 4));
  if (panels === 0) {
    throw new RangeError(
      `Cannot bind ${PANEL} outputs of ${rows} inputs: the adapter binds at most ` +
        `${target.maxBindingBytes} bytes`,
    );
  }
  const slabs: Slab[] = [];
  for (let firstOutput = 0; firstOutput < columns; firstOutput += panels * PANEL) {
    const width = Math.min(panels * PANEL, columns - firstOutput);
    slabs.push({
      firstOutput,
      outputs: width,
      first: firstOutput * rows,
      count: width * rows,
    });
  }
  return slabs;
}

function forward(context: OpContext, slab: Slab, tile?: GemmTile): OpDispatch {
  const inputs = context.inputs[0]!.stride;
  const outputs = context.outputs[0]!.stride;
  const problem: GemmProblem = {
    label: `Gemm forward ${context.batch} x ${inputs} -> ${slab.outputs}` +
      (context.fusedRelu ? " relu" : ""),
    m: context.batch,
    n: slab.outputs,
    k: inputs,
    z: 1,
    alongA: "k",
    alongB: "n",
    text: textOf(context, ["input", "weight"], forwardText, {
      INPUTS: inputs,
      OUTPUTS: outputs,
      FIRST: slab.firstOutput,
      SLAB: slab.outputs,
      PANEL,
      RELU: context.fusedRelu,
    }),
  };
  return gemmDispatch(problem, context, slab, [
    ref("input"),
    null,
    ref("parameter", 1),
    ref("output"),
  ], tile);
}

function backward(
  context: OpContext,
  tiles: NonNullable<GemmAttributes["tiles"]>,
): OpWork {
  const slabs = slabsOf(context);
  // The bias comes first: with a fused ReLU its sum also masks the gradient that the others read.
  const bias = columnSum({
    rows: context.batch,
    columns: context.outputs[0]!.stride,
    accumulate: context.accumulate,
    from: ref("gradOutput"),
    ...(context.fusedRelu ? { mask: ref("output") } : {}),
    scratch: ref("scratch", 0),
    to: ref("gradParameter", 1),
    target: context.target,
  });
  const dispatches = [
    ...bias.dispatches,
    ...slabs.map((slab) => gradWeight(context, slab, tiles.gradWeight)),
  ];
  if (context.needsGradInput[0]) {
    dispatches.push(...slabs.map((slab) => gradInput(context, slab, tiles.gradInput)));
  }
  return { dispatches, scratchBytes: [bias.scratchBytes] };
}

function gradWeight(context: OpContext, slab: Slab, tile?: GemmTile): OpDispatch {
  const inputs = context.inputs[0]!.stride;
  const problem: GemmProblem = {
    label: `Gemm grad-weight ${context.batch} x ${inputs} -> ${slab.outputs}`,
    m: inputs,
    n: slab.outputs,
    k: context.batch,
    z: 1,
    alongA: "m",
    alongB: "n",
    text: textOf(context, ["input", "grad_output"], gradWeightText, {
      BATCH: context.batch,
      INPUTS: inputs,
      OUTPUTS: context.outputs[0]!.stride,
      FIRST: slab.firstOutput,
      SLAB: slab.outputs,
      PANEL,
      ACCUMULATE: context.accumulate,
    }),
  };
  return gemmDispatch(problem, context, slab, [ref("input"), ref("gradOutput"), null], tile);
}

function gradInput(context: OpContext, slab: Slab, tile?: GemmTile): OpDispatch {
  const inputs = context.inputs[0]!.stride;
  const problem: GemmProblem = {
    label: `Gemm grad-input ${context.batch} x ${slab.outputs} -> ${inputs}`,
    m: context.batch,
    n: inputs,
    k: slab.outputs,
    z: 1,
    alongA: "k",
    alongB: "k",
    text: textOf(context, ["grad_output", "weight"], gradInputText, {
      INPUTS: inputs,
      OUTPUTS: context.outputs[0]!.stride,
      FIRST: slab.firstOutput,
      SLAB: slab.outputs,
      PANEL,
      ADD: slab.firstOutput > 0,
    }),
  };
  return gemmDispatch(problem, context, slab, [ref("gradOutput"), null, ref("gradInput")], tile);
}

/** A direction's text behind its two operands, as tensors are stored. */
function textOf(
  { target }: OpContext,
  [a, b]: readonly [string, string],
  text: string,
  constants: Constants,
): string {
  const operands = operandText(target, 0, a) + operandText(target, 1, b);
  return specialize(operands + text, constants, target.precision);
}

function operand(context: OpContext, buffer: TensorRef | null, slab: Slab): Binding<TensorRef> {
  const { target, batch, inputs, outputs } = context;
  if (!buffer) {
    return operandBinding(target, ref("parameter", 0), slab);
  }
  const shape = buffer.role === "input" ? inputs[0]! : outputs[0]!;
  return operandBinding(target, buffer, { count: batch * shape.stride });
}

/** A dispatch over the buffers in binding order; null stands for the slab of the weights. */
function gemmDispatch(
  problem: GemmProblem,
  context: OpContext,
  slab: Slab,
  buffers: readonly (TensorRef | null)[],
  tile?: GemmTile,
): OpDispatch {
  const { target, batch, inputs: [input], outputs: [output] } = context;
  const ranked = rankGemmTiles(problem, target);
  const key = problem.label + keySuffix(target);
  const chosen = tile ?? pickTile(key, ranked, target.tiles);
  const { kernel, workgroups } = gemmKernel(problem, target, chosen);
  // The last slab's outputs may end in padding.
  const outputs = Math.min(slab.outputs, output!.channels - slab.firstOutput);
  const weight = ref("gradParameter", 0);
  const range = { offset: 4 * slab.first, size: 4 * slab.count };
  return {
    kernel,
    workgroups,
    bindings: buffers.map((buffer, index) => {
      if (index < 2) return operand(context, buffer, slab);
      return buffer ? { buffer } : { buffer: weight, ...range };
    }),
    problem: {
      key,
      tile: tileName(chosen),
      candidates: ranked.map((candidate) => tileName(candidate.tile)),
      multiplyAdds: batch * input!.channels * outputs,
    },
  };
}
