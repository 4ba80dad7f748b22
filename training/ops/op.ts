/**
 * What an operator is: pure functions from shapes to shapes, dispatches, parameters and ONNX nodes.
 * Nothing here touches a device; the executor runs what an operator returns.
 * @module
 */
import type { Gpu } from "../gpu/device.ts";
import type { Dispatch } from "../gpu/kernel.ts";
import { bytesOf, type Precision } from "../gpu/precision.ts";
import type { TiledProblem, TileTable } from "../kernels/tile.ts";
import type { OnnxNode, OnnxTensor } from "../../shared/onnx/onnx_node.ts";

/**
 * One image's tensor. In memory it is NHWC, float32 or float16, with `stride` numbers a pixel: the channels
 * rounded up to a multiple of four, the rest zeros. Kernels load and store whole vec4; zeros stay
 * zeros through every operator and every gradient.
 */
export interface Shape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly stride: number;
  /** Where the channels are a flattened image: its shape, which fixes the order of the numbers. */
  readonly flattened?: Shape;
}

/** @throws {RangeError} on a size that is not a positive integer. */
export function imageShape(channels: number, height: number, width: number): Shape {
  for (const size of [channels, height, width]) {
    if (!Number.isInteger(size) || size < 1) {
      throw new RangeError(`Cannot make a tensor of ${channels} x ${height} x ${width}`);
    }
  }
  return { channels, height, width, stride: Math.ceil(channels / 4) * 4 };
}

/** Numbers that one image's tensor takes in memory. */
export function floatsOf({ height, width, stride }: Shape): number {
  return height * width * stride;
}

/** Numbers of one image's tensor as ONNX counts them, without padding. */
export function elementsOf({ channels, height, width }: Shape): number {
  return channels * height * width;
}

/**
 * Tensors by their role towards an operator. `saved` lives from forward to backward, `scratch`
 * within one of them; `step` is the uniform of the step (see `ops/step.ts`), `labels` one u32 an
 * image, `losses` three float32 an image, `lossScale` the state of `kernels/loss_scale`. Inputs,
 * outputs, their gradients and `parameter` are stored in the target's precision; `gradParameter` and
 * what an operator scratches are float32.
 */
export type Role =
  | "input"
  | "output"
  | "gradInput"
  | "gradOutput"
  | "parameter"
  | "gradParameter"
  | "saved"
  | "scratch"
  | "step"
  | "labels"
  | "losses"
  | "lossScale";

export interface TensorRef {
  readonly role: Role;
  /** Which input, parameter, saved or scratch tensor. */
  readonly index: number;
}

export function ref(role: Role, index = 0): TensorRef {
  return { role, index };
}

export interface OpDispatch extends Dispatch<TensorRef> {
  /** Of a product that is cut into tiles; its dispatches carry it, with what finishes its sums. */
  readonly problem?: TiledProblem;
}

/** A dispatch and the bytes of scratch and saved tensors it needs, by index. */
export interface OpWork {
  readonly dispatches: OpDispatch[];
  readonly scratchBytes?: readonly number[];
  readonly savedBytes?: readonly number[];
}

/** How a parameter starts. `normal` is N(0, std). */
export type Init =
  | { readonly kind: "normal"; readonly std: number }
  | { readonly kind: "constant"; readonly value: number };

/** How a parameter is updated, as it differs from the run's settings. */
export interface UpdateRule {
  /** Factor on the scheduled learning rate. */
  readonly rateMultiplier: number;
  /** A learning rate that no schedule changes, in place of the scheduled one. */
  readonly constantRate: number | null;
  /** In place of the run's. */
  readonly momentum: number | null;
  /** Factor on the run's weight decay. */
  readonly decayMultiplier: number;
}

export type PartialRule = Partial<UpdateRule>;

/** Of an operator's parameters; what is left out is as the run's settings say. */
export interface UpdateRules {
  readonly weight?: PartialRule;
  readonly bias?: PartialRule;
}

const AS_SET: UpdateRule = {
  rateMultiplier: 1,
  constantRate: null,
  momentum: null,
  decayMultiplier: 1,
};

/** The rule with what is given in place of what it says; by default over the run's settings. */
export function updateRule(given: PartialRule = {}, rule: UpdateRule = AS_SET): UpdateRule {
  return {
    rateMultiplier: given.rateMultiplier ?? rule.rateMultiplier,
    constantRate: given.constantRate ?? rule.constantRate,
    momentum: given.momentum ?? rule.momentum,
    decayMultiplier: given.decayMultiplier ?? rule.decayMultiplier,
  };
}

export interface ParameterSpec {
  readonly name: "weight" | "bias";
  /** As in ONNX: [out, in / group, kernel height, kernel width], [out, in], [out]. */
  readonly shape: readonly number[];
  /** float32 numbers in memory, padding included. */
  readonly floats: number;
  readonly init: Init;
  readonly update: UpdateRule;
  /** From ONNX's layout to memory's; padding is zero. */
  pack(values: Float32Array): Float32Array<ArrayBuffer>;
  unpack(stored: Float32Array): Float32Array<ArrayBuffer>;
}

/** The adapter's part in what an operator returns. */
export type OpTarget =
  & Pick<Gpu, "family" | "subgroupSize" | "maxBindingBytes" | "maxWorkgroups">
  & Partial<Pick<Gpu, "maxWorkgroupBytes" | "maxInvocations">>
  & {
    /** Measured tiles, where there are any; the cost models choose the rest. */
    readonly tiles?: TileTable;
    /** What tensors are stored as; float32 by default. */
    readonly precision?: Precision;
  };

export interface OpContext {
  readonly target: OpTarget;
  /** Images in this pass. */
  readonly batch: number;
  readonly inputs: readonly Shape[];
  readonly outputs: readonly Shape[];
  /** Dropout drops and is not corrected for. */
  readonly training: boolean;
  /** The output also passes through max(0, x), in the same kernel. */
  readonly fusedRelu: boolean;
  /** Whether anything before input i has parameters. */
  readonly needsGradInput: readonly boolean[];
  /** Parameter gradients are added to what is there (later parts of a batch in parts). */
  readonly accumulate: boolean;
  /** Images that the loss is the mean of: the whole batch, all its parts together. */
  readonly lossBatch: number;
  /** Distinguishes nodes that draw random numbers. */
  readonly stream: number;
}

/** Names and parameter values with which an operator writes itself into an ONNX graph. */
export interface OnnxContext {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly inputShapes: readonly Shape[];
  readonly outputShapes: readonly Shape[];
  /** Values in ONNX's layout, in the order of `parameters`. */
  readonly parameters: readonly { readonly name: string; readonly values: Float32Array }[];
}

export interface OnnxPart {
  readonly nodes: OnnxNode[];
  readonly initializers: OnnxTensor[];
}

export interface Op {
  /** ONNX operator type. */
  readonly type: string;
  /** What backward reads: the memory plan keeps it until then. */
  readonly backwardReads: { readonly inputs: boolean; readonly outputs: boolean };
  /** Forward can apply max(0, x) as it stores. */
  readonly canFuseRelu: boolean;
  /** Its outputs stay float32 whatever the precision. */
  readonly exactOutputs?: true;
  /**
   * Where forward did, backward begins by masking `gradOutput` in place by the output's sign, so
   * that the ReLU needs no backward of its own.
   */
  readonly masksGradient: boolean;
  /** @throws {RangeError} where the operator cannot take such inputs. */
  outputShapes(inputs: readonly Shape[]): Shape[];
  parameters(inputs: readonly Shape[]): ParameterSpec[];
  /** Multiply-adds of one image. */
  multiplyAdds(inputs: readonly Shape[]): number;
  forward(context: OpContext): OpWork;
  /** Writes every needed `gradInput` and every `gradParameter`. */
  backward(context: OpContext): OpWork;
  toOnnx(context: OnnxContext): OnnxPart;
}

/** Of one number of an operator's outputs, or of the images where there is no operator. */
export function outputBytes(op: Op | null, { precision }: Pick<OpTarget, "precision">): number {
  return op?.exactOutputs ? 4 : bytesOf(precision);
}

/** The parts of an operator without parameters. */
export const PARAMETERLESS = {
  parameters: (): ParameterSpec[] => [],
  multiplyAdds: (): number => 0,
  canFuseRelu: false,
  masksGradient: false,
} as const;

/** A dispatch list for in-place or layout-free operators that have nothing to do. */
export const NO_WORK: OpWork = { dispatches: [] };

/** The one input of an operator that takes one. */
export function only<T>(items: readonly T[], what: string): T {
  if (items.length !== 1) {
    throw new RangeError(`Cannot apply ${what}: it takes one input and got ${items.length}`);
  }
  return items[0]!;
}
