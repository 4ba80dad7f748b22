/**
 * C[m, n] = sum over k of A[m, k] B[k, n]: the one core behind convolutions and fully connected
 * layers in all three directions. An operator brings the loads and the store as WGSL text; the core
 * brings the tiling. There is no im2col: a load computes where its four numbers are.
 * @module
 */
import type { Gpu } from "../../gpu/device.ts";
import type { Kernel } from "../../gpu/kernel.ts";
import type { RankedTile } from "../tile.ts";
import { rankSubgroupTiles, subgroupGemm, type SubgroupTile } from "./subgroup.ts";
import { rankWorkgroupTiles, workgroupGemm, type WorkgroupTile } from "./workgroup.ts";

/**
 * What an operator says of its product. `text` holds the bindings and five functions:
 *
 * - `row_a(m: u32, z: u32) -> vec3i`: whatever load_a wants to know of row m, computed once a tile;
 * - `load_a(row: vec3i, k: u32, z: u32) -> vec4f`: A[m, k..k+3] where `alongA` is "k", or
 *   A[m..m+3, k] where it is "m"; zeros where k >= K;
 * - `column_b(n: u32, z: u32) -> vec3i` and `load_b(column: vec3i, k: u32, z: u32) -> vec4f`:
 *   B[k, n..n+3] where `alongB` is "n", or B[k..k+3, n] where it is "k"; zeros where k >= K;
 * - `store_c(m: u32, n: u32, z: u32, split: u32, value: vec4f)`: C[m, n..n+3].
 *
 * Rows and columns given to them are always inside M and N.
 */
export interface GemmProblem {
  readonly label: string;
  readonly m: number;
  /** Multiple of 4. */
  readonly n: number;
  /** Multiple of 4 where an operand lies along k. */
  readonly k: number;
  /** Independent products in one dispatch (the groups of a convolution). */
  readonly z: number;
  readonly alongA: "k" | "m";
  readonly alongB: "n" | "k";
  /** K is cut into this many pieces whose sums `store_c` must keep apart; 1 by default. */
  readonly splits?: number;
  readonly text: string;
}

export type GemmTile = SubgroupTile | WorkgroupTile;

export interface GemmKernel {
  readonly kernel: Kernel;
  readonly workgroups: [number, number, number];
}

/** What the choice of kernels depends on: the part of a {@link Gpu} that data can describe. */
export type GemmTarget =
  & Pick<Gpu, "family" | "subgroupSize">
  & Partial<Pick<Gpu, "maxWorkgroupBytes" | "maxInvocations">>;

/**
 * The tiles that a problem may have on an adapter, the cost model's choice first: those in one
 * subgroup on a software driver, those in workgroup memory on a card.
 */
export function rankGemmTiles(
  problem: GemmProblem,
  target: GemmTarget,
): RankedTile<GemmTile>[] {
  return target.family === "software"
    ? rankSubgroupTiles(problem, target.subgroupSize)
    : rankWorkgroupTiles(problem, target);
}

/**
 * The kernel for a problem, with the tile that the family's cost model picks or the given one.
 *
 * @throws {RangeError} where n, or k of an operand along k, is not a multiple of 4.
 */
export function gemmKernel(problem: GemmProblem, target: GemmTarget, tile?: GemmTile): GemmKernel {
  const { m, n, k, alongA, alongB, label } = problem;
  const alongK = alongA === "k" || alongB === "k";
  if (n % 4 !== 0 || (alongK && k % 4 !== 0) || (alongA === "m" && m % 4 !== 0)) {
    throw new RangeError(
      `Cannot tile ${label}: ${m} x ${n} x ${k} is not in steps of four numbers`,
    );
  }
  const chosen = tile ?? rankGemmTiles(problem, target)[0]!.tile;
  return chosen.family === "subgroup"
    ? subgroupGemm(problem, chosen, target.subgroupSize)
    : workgroupGemm(problem, chosen);
}

/**
 * Pieces to cut K into so that a product with few tiles still fills the card: weight gradients sum
 * over every pixel of a batch into a small matrix. A software driver has few threads and needs none.
 */
export function splitsFor(
  target: GemmTarget,
  problem: { m: number; n: number; k: number; z: number },
): number {
  if (target.family === "software") return 1;
  const tiles = Math.ceil(problem.m / 64) * Math.ceil(problem.n / 64) * problem.z;
  const wanted = Math.ceil(264 / tiles);
  return Math.max(1, Math.min(wanted, Math.floor(problem.k / 512), 64));
}
