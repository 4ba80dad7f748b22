/**
 * Dropout, by default as AlexNet's code has it: in training each number is dropped with probability
 * `ratio` and the rest stays as it is; at evaluation every number is multiplied by 1 - ratio.
 *
 * Which numbers are dropped is a function of (seed, step, stream, place in the batch), so backward
 * computes the same again, nothing is saved, and a batch in parts drops what a whole one does.
 * @module
 */
import { flatWorkgroups, type Kernel, specialize } from "../../gpu/kernel.ts";
import randomText from "../../kernels/random.wgsl" with { type: "text" };
import {
  floatsOf,
  NO_WORK,
  only,
  type Op,
  type OpContext,
  type OpWork,
  PARAMETERLESS,
  ref,
  type TensorRef,
} from "../op.ts";
import dropText from "./dropout_drop.wgsl" with { type: "text" };
import scaleText from "./dropout_scale.wgsl" with { type: "text" };

export interface DropoutAttributes {
  /** Probability that a number is dropped: 0 or more, less than 1. */
  readonly ratio: number;
  /**
   * Divides what is kept by 1 - ratio in training and does nothing at evaluation: the same network
   * up to a factor on the weights that follow.
   */
  readonly inverted?: boolean;
}

const THREADS = 64;

/** @throws {RangeError} on a ratio out of range. */
export function dropout({ ratio, inverted = false }: DropoutAttributes): Op {
  if (!(ratio >= 0 && ratio < 1)) {
    throw new RangeError(
      `Cannot make Dropout: ratio is ${ratio} (expected 0 or more, less than 1)`,
    );
  }
  const kept = 1 - ratio;
  const work = (context: OpContext, from: TensorRef, to: TensorRef) =>
    context.training
      ? drop(context, { RATIO: ratio, SCALE: inverted ? 1 / kept : 1 }, from, to)
      : scale(context, inverted ? 1 : kept, from, to);
  return {
    ...PARAMETERLESS,
    type: "Dropout",
    backwardReads: { inputs: false, outputs: false },
    outputShapes: (inputs) => [only(inputs, "Dropout")],
    forward: (context) => work(context, ref("input"), ref("output")),
    backward: (context) =>
      context.needsGradInput[0] ? work(context, ref("gradOutput"), ref("gradInput")) : NO_WORK,
    toOnnx: ({ name, inputs, outputs }) => {
      if (inverted) {
        return {
          nodes: [{ opType: "Identity", name, inputs, outputs, attributes: {} }],
          initializers: [],
        };
      }
      const factor = `${name}/kept`;
      return {
        nodes: [{ opType: "Mul", name, inputs: [inputs[0]!, factor], outputs, attributes: {} }],
        initializers: [{ name: factor, dims: [], data: Float32Array.of(kept) }],
      };
    },
  };
}

function vectorsOf({ batch, inputs }: OpContext): number {
  return batch * floatsOf(inputs[0]!) / 4;
}

function drop(
  context: OpContext,
  constants: { RATIO: number; SCALE: number },
  from: TensorRef,
  to: TensorRef,
): OpWork {
  const vectors = vectorsOf(context);
  const kernel = {
    label: `Dropout ${constants.RATIO} of ${vectors}`,
    code: specialize(randomText + dropText, {
      VECTORS: vectors,
      STREAM: context.stream,
      ...constants,
    }, context.target.precision),
  };
  return oneDispatch(context, kernel, [from, to, ref("step")]);
}

function scale(context: OpContext, factor: number, from: TensorRef, to: TensorRef): OpWork {
  const vectors = vectorsOf(context);
  const kernel = {
    label: `Dropout evaluation ${vectors}`,
    code: specialize(scaleText, { VECTORS: vectors, SCALE: factor }, context.target.precision),
  };
  return oneDispatch(context, kernel, [from, to]);
}

function oneDispatch(context: OpContext, kernel: Kernel, buffers: TensorRef[]): OpWork {
  return {
    dispatches: [{
      kernel,
      bindings: buffers.map((buffer) => ({ buffer })),
      workgroups: flatWorkgroups(vectorsOf(context), THREADS, context.target.maxWorkgroups),
    }],
  };
}
