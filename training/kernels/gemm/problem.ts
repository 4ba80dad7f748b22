/** A product of matrices as an operator states it, and what the families make of it. */
import type { Gpu } from "../../gpu/device.ts";
import type { Kernel } from "../../gpu/kernel.ts";

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

export interface GemmKernel {
  readonly kernel: Kernel;
  readonly workgroups: [number, number, number];
}

/** What the choice of kernels depends on: the part of a {@link Gpu} that data can describe. */
export type GemmTarget =
  & Pick<Gpu, "family" | "subgroupSize">
  & Partial<Pick<Gpu, "maxWorkgroupBytes" | "maxInvocations">>;
