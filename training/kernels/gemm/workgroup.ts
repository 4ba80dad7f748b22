/**
 * The GEMM family for real cards: tiles of A and B in workgroup memory, a barrier around each, and
 * a block of sums in each thread's registers.
 * @module
 */
import { specialize } from "../../gpu/kernel.ts";
import { type RankedTile, tileName } from "../tile.ts";
import type { GemmKernel, GemmProblem, GemmTarget } from "./problem.ts";
import core from "./gemm_workgroup.wgsl" with { type: "text" };

export interface WorkgroupTile {
  readonly family: "workgroup";
  /** Rows and columns of C in a workgroup, depth of a tile; multiples of 4. */
  readonly tileM: number;
  readonly tileN: number;
  readonly tileK: number;
  /** Rows and columns of C in a thread; columns a multiple of 4. */
  readonly threadM: number;
  readonly threadN: number;
}

/** What the choice is made from without measuring, largest first. */
const CHOICES: readonly WorkgroupTile[] = [
  { family: "workgroup", tileM: 128, tileN: 128, tileK: 8, threadM: 8, threadN: 8 },
  { family: "workgroup", tileM: 128, tileN: 64, tileK: 16, threadM: 8, threadN: 4 },
  { family: "workgroup", tileM: 64, tileN: 64, tileK: 16, threadM: 4, threadN: 4 },
  { family: "workgroup", tileM: 64, tileN: 32, tileK: 16, threadM: 4, threadN: 4 },
  { family: "workgroup", tileM: 32, tileN: 32, tileK: 16, threadM: 2, threadN: 4 },
];
/** Other shapes, which only measuring finds better. */
const OTHERS: readonly WorkgroupTile[] = [
  { family: "workgroup", tileM: 128, tileN: 128, tileK: 16, threadM: 8, threadN: 8 },
  { family: "workgroup", tileM: 64, tileN: 128, tileK: 16, threadM: 8, threadN: 8 },
  { family: "workgroup", tileM: 128, tileN: 32, tileK: 16, threadM: 8, threadN: 4 },
  { family: "workgroup", tileM: 64, tileN: 64, tileK: 32, threadM: 8, threadN: 4 },
  { family: "workgroup", tileM: 32, tileN: 128, tileK: 16, threadM: 4, threadN: 8 },
];
/** Every tile that the tests prove. */
export const workgroupTiles: readonly WorkgroupTile[] = [...CHOICES, ...OTHERS];
/** What WebGPU guarantees: bytes of workgroup memory, threads of a workgroup. */
const GUARANTEED = { bytes: 16384, invocations: 256 } as const;
/** Tiles that keep a large card busy: about one for each multiprocessor. */
const ENOUGH_TILES = 132;

/** The largest tile that still fills the card without padding C by more than a quarter. */
export function chooseWorkgroupTile(problem: GemmProblem): WorkgroupTile {
  const { m, n, z, splits = 1 } = problem;
  for (const tile of CHOICES) {
    const tiles = Math.ceil(m / tile.tileM) * Math.ceil(n / tile.tileN);
    const padded = tiles * tile.tileM * tile.tileN / (m * n);
    if (tiles * z * splits >= ENOUGH_TILES && padded <= 1.25) return tile;
  }
  return CHOICES.at(-1)!;
}

/** The tiles within the adapter's limits; the cost is their rank, the chosen one first. */
export function rankWorkgroupTiles(
  problem: GemmProblem,
  {
    maxWorkgroupBytes = GUARANTEED.bytes,
    maxInvocations = GUARANTEED.invocations,
  }: Pick<GemmTarget, "maxWorkgroupBytes" | "maxInvocations">,
): RankedTile<WorkgroupTile>[] {
  const chosen = chooseWorkgroupTile(problem);
  const others = workgroupTiles.filter((tile) => {
    const { tileM, tileN, tileK, threadM, threadN } = tile;
    return tile !== chosen && 4 * tileK * (tileM + tileN) <= maxWorkgroupBytes &&
      tileM / threadM * tileN / threadN <= maxInvocations;
  });
  return [chosen, ...others].map((tile, cost) => ({ tile, cost }));
}

export function workgroupGemm(problem: GemmProblem, tile: WorkgroupTile): GemmKernel {
  const { m, n, k, z, splits = 1 } = problem;
  const { tileM, tileN, tileK, threadM, threadN } = tile;
  const code = problem.text + specialize(core, {
    M: m,
    N: n,
    K: k,
    SPLITS: splits,
    SPLIT_LENGTH: Math.ceil(k / splits / 4) * 4,
    A_ALONG_K: problem.alongA === "k",
    B_ALONG_K: problem.alongB === "k",
    TILE_M: tileM,
    TILE_N: tileN,
    TILE_K: tileK,
    THREAD_M: threadM,
    THREAD_N: threadN,
  });
  return {
    kernel: { label: `${problem.label} ${tileName(tile)}`, code },
    workgroups: [Math.ceil(n / tileN), Math.ceil(m / tileM), z * splits],
  };
}
