/** How an engine is made, and what its steps are lists of. */
import type { PreprocessSpec } from "../../shared/image/preprocess.ts";
import type { PreparedDispatch } from "../gpu/prepare.ts";
import type { TiledProblem, TileTable } from "../kernels/tile.ts";
import type { Precision } from "../gpu/precision.ts";
import type { LayerRules, ParameterValues } from "./parameters.ts";

export interface EngineOptions {
  readonly batch: number;
  readonly preprocess: PreprocessSpec;
  /** [crop, crop, channels], subtracted in place of the spec's mean; see `Normalization`. */
  readonly meanCrop?: Float32Array | null;
  readonly momentum: number;
  readonly decay: number;
  /** At most so many images at a time, a divisor of the batch; fewer where the adapter's limits ask. */
  readonly partSize?: number;
  /** Update rules by layer, over those of the graph. */
  readonly layers?: LayerRules;
  /** Every parameter, 0 where each update holds a number at 0 and else 1: pruned weights. */
  readonly kept?: ParameterValues;
  /** Measured tiles by problem key; without them the cost models choose. */
  readonly tiles?: TileTable;
  /** What tensors are stored as; float32 by default. */
  readonly precision?: Precision;
}

/** Where a dispatch belongs, and what it does there. */
export interface StepPart {
  /** Node of the graph, or "input", "totals", "loss scale", "sgd", "parameters". */
  readonly node: string;
  readonly direction: "forward" | "backward" | "update";
  readonly problem?: TiledProblem;
  /** Bytes that it moves at least. */
  readonly bytes?: number;
}

export type StepDispatch = PreparedDispatch & StepPart;
