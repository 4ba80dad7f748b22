/**
 * C[m, n] = sum over k of A[m, k] B[k, n]: the one core behind convolutions and fully connected
 * layers in all three directions. An operator brings the loads and the store as WGSL text; the core
 * brings the tiling. There is no im2col: a load computes where its four numbers are.
 * @module
 */
import { MAX_LOOP_TURNS } from "../software_cost.ts";
import type { RankedTile } from "../tile.ts";
import type { GemmKernel, GemmProblem, GemmTarget } from "./problem.ts";
import { rankSubgroupTiles, subgroupGemm, type SubgroupTile } from "./subgroup.ts";
import { rankWorkgroupTiles, workgroupGemm, type WorkgroupTile } from "./workgroup.ts";

export type GemmTile = SubgroupTile | WorkgroupTile;

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
 * over every pixel of a batch into a small matrix. A software driver has few threads and needs them
 * only where one piece would be longer than its loops may be.
 */
export function splitsFor(
  target: GemmTarget,
  problem: { m: number; n: number; k: number; z: number },
): number {
  if (target.family === "software") return Math.ceil(problem.k / 4 / MAX_LOOP_TURNS);
  const tiles = Math.ceil(problem.m / 64) * Math.ceil(problem.n / 64) * problem.z;
  const wanted = Math.ceil(264 / tiles);
  return Math.max(1, Math.min(wanted, Math.floor(problem.k / 512), 64));
}
