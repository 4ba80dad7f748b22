/** What a step does beside its graph: records become images, gradients become weights. */
import type { PreprocessSpec } from "../../shared/image/preprocess.ts";
import { augment } from "../augment/augment.ts";
import type { Dispatch } from "../gpu/kernel.ts";
import { bytesOf } from "../gpu/precision.ts";
import { adaptLossScale, findOverflow } from "../kernels/loss_scale/loss_scale.ts";
import { holdPruned } from "../kernels/prune/hold_pruned.ts";
import { storeParameters } from "../kernels/store/store_parameters.ts";
import type { OpTarget } from "../ops/op.ts";
import { sgdUpdate } from "../optimizers/sgd.ts";
import type { EngineOptions, StepPart } from "./engine_options.ts";
import type { ParameterArena } from "./parameters.ts";

export type StageDispatch = Dispatch<string> & StepPart;

/** Padded channels of an image in memory. */
const IMAGE_STRIDE = 4;

function updating(node: string) {
  return (dispatch: Dispatch<string>) => ({ ...dispatch, node, direction: "update" as const });
}

/** @param images the buffer that the network reads its input from */
export function preprocessStage(
  images: string,
  options: {
    readonly preprocess: PreprocessSpec;
    readonly images: number;
    readonly recordBytes: number;
    readonly target: OpTarget;
  },
): StageDispatch {
  const { preprocess, target, recordBytes } = options;
  const stage = augment(preprocess, options.images, target);
  const numbers = options.images * preprocess.crop ** 2 * IMAGE_STRIDE;
  return {
    ...stage,
    bindings: stage.bindings.map(({ buffer }) => ({
      buffer: buffer === "images" ? images : buffer,
    })),
    node: "input",
    direction: "forward",
    bytes: recordBytes + bytesOf(target.precision) * numbers,
  };
}

/** In float16 also what watches over the loss's scale; of a pruned network what holds the zeros. */
export function updateStage(
  { bytes, groups }: ParameterArena,
  options: Pick<EngineOptions, "momentum" | "decay" | "kept">,
  target: OpTarget,
): StageDispatch[] {
  const held = options.kept ? holdPruned(bytes, target) : [];
  const sgd = [...sgdUpdate(groups, options, target), ...held].map(updating("sgd"));
  if (target.precision !== "f16") return sgd;
  const scale = updating("loss scale");
  return [...findOverflow(bytes, target).map(scale), ...sgd, scale(adaptLossScale())];
}

/** The float16 copies of the weights that kernels read; nothing in float32. */
export function storeStage({ bytes }: ParameterArena, target: OpTarget): StageDispatch[] {
  if (target.precision !== "f16") return [];
  return storeParameters(bytes, target).map(updating("parameters"));
}
