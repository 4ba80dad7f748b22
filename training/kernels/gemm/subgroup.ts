/**
 * The GEMM family for software drivers: a workgroup is one subgroup, there is no workgroup memory
 * and no barrier. Each lane owns 4 x vectors entries of one dimension ("lanes"), the other
 * dimension lies in registers; its operand is loaded spread over the lanes and handed round by
 * subgroupBroadcast.
 *
 * Why so: on such a driver loads cost most (`../software_cost.ts`), so the tile with the fewest loads
 * for its FMAs wins, although its sums live in the first-level cache. The text is unrolled here
 * because naga adds a counter to every loop and a private array with a running index is memory, not
 * registers.
 * @module
 */
import { loopBodyNs, STORE_NS, THREADS, withCompiling } from "../software_cost.ts";
import { type RankedTile, tileName } from "../tile.ts";
import type { GemmKernel, GemmProblem } from "./problem.ts";

export interface SubgroupTile {
  readonly family: "subgroup";
  /** Dimension that the lanes lie along. */
  readonly lanes: "m" | "n";
  /** Entries of the other dimension, in registers: a multiple of 4. */
  readonly registers: number;
  /** Groups of four entries that a lane owns. */
  readonly vectors: number;
}

const STEP = 4;
const COMPONENTS = "xyzw";

const REGISTERS = [8, 16, 32, 64];
const VECTORS = [1, 2];
/** Every tile that the tests prove and the choice is made from. */
export function subgroupTiles(): SubgroupTile[] {
  return (["n", "m"] as const).flatMap((lanes) =>
    REGISTERS.flatMap((registers) =>
      VECTORS.map((vectors) => ({ family: "subgroup" as const, lanes, registers, vectors }))
    )
  );
}

/** Every tile by the driver's costs in nanoseconds a dispatch, compiling included, cheapest first. */
export function rankSubgroupTiles(
  problem: GemmProblem,
  subgroupSize: number,
): RankedTile<SubgroupTile>[] {
  return subgroupTiles()
    .map((tile) => ({ tile, cost: estimatedCost(problem, tile, subgroupSize) }))
    .sort((a, b) => a.cost - b.cost);
}

function estimatedCost(problem: GemmProblem, tile: SubgroupTile, subgroupSize: number): number {
  const { k, z, splits = 1 } = problem;
  const [tilesX, tilesY] = tileCounts(problem, tile, subgroupSize);
  const rounds = Math.ceil(tilesX * tilesY * z * splits / THREADS);
  const steps = Math.ceil(k / splits / STEP);
  const sums = tile.registers * tile.vectors;
  // A is the operand with bounds to check: the pixels of a convolution.
  const ofLanes = STEP * tile.vectors;
  const ofRegisters = Math.ceil(tile.registers / subgroupSize);
  const body = {
    loads: tile.lanes === "n" ? ofLanes : ofRegisters,
    checkedLoads: tile.lanes === "n" ? ofRegisters : ofLanes,
    broadcasts: STEP * tile.registers,
    sums,
    multiplyAdds: STEP * sums,
  };
  return withCompiling(rounds * (steps * loopBodyNs(body) + sums * STORE_NS), body);
}

/** Tiles along the lanes' dimension and along the registers' one. */
function tileCounts(problem: GemmProblem, tile: SubgroupTile, subgroupSize: number) {
  const laneExtent = tile.lanes === "n" ? problem.n : problem.m;
  const registerExtent = tile.lanes === "n" ? problem.m : problem.n;
  return [
    Math.ceil(laneExtent / (subgroupSize * 4 * tile.vectors)),
    Math.ceil(registerExtent / tile.registers),
  ] as const;
}

/** One operand as the core sees it: its functions and whether its loads lie along k. */
interface Operand {
  readonly prepare: string;
  readonly load: string;
  readonly alongK: boolean;
  readonly extent: number;
}

export function subgroupGemm(
  problem: GemmProblem,
  tile: SubgroupTile,
  subgroupSize: number,
): GemmKernel {
  const a: Operand = {
    prepare: "row_a",
    load: "load_a",
    alongK: problem.alongA === "k",
    extent: problem.m,
  };
  const b: Operand = {
    prepare: "column_b",
    load: "load_b",
    alongK: problem.alongB === "k",
    extent: problem.n,
  };
  const [laneOperand, registerOperand] = tile.lanes === "n" ? [b, a] : [a, b];
  const [tilesX, tilesY] = tileCounts(problem, tile, subgroupSize);
  const splits = problem.splits ?? 1;
  const splitLength = Math.ceil(problem.k / splits / STEP) * STEP;
  const registers = registerLoads(registerOperand, tile, subgroupSize);
  const lanes = laneLoads(laneOperand, tile, subgroupSize);
  const code = `${problem.text}
@compute @workgroup_size(${subgroupSize})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let z = group.z / ${splits}u;
  let split = group.z % ${splits}u;
  let lane0 = group.x * ${subgroupSize * 4 * tile.vectors}u;
  let register0 = group.y * ${tile.registers}u;
${registers.prepare}
${lanes.prepare}
${sums(tile).map((name) => `  var ${name} = vec4f();`).join("\n")}
  let end = min(${problem.k}u, (split + 1u) * ${splitLength}u);
  for (var k = split * ${splitLength}u; k < end; k += ${STEP}u) {
${registers.load}
${lanes.load}
${multiplyAdds(registers.element, tile)}
  }
${stores(problem, tile, subgroupSize)}
}
`;
  return {
    kernel: { label: `${problem.label} ${tileName(tile)}`, code },
    workgroups: [tilesX, tilesY, problem.z * splits],
  };
}

function sums(tile: SubgroupTile): string[] {
  return range(tile.registers).flatMap((r) => range(tile.vectors).map((v) => `c${r}_${v}`));
}

/**
 * The operand in registers: its `registers` x STEP numbers are as many vec4 as registers, spread
 * over the lanes; `element(r, k)` is one of them, the same in every lane.
 */
function registerLoads(operand: Operand, tile: SubgroupTile, subgroupSize: number) {
  const { prepare, load, alongK, extent } = operand;
  const count = tile.registers;
  const perStep = count / 4;
  const prepares: string[] = [];
  const loads: string[] = [];
  range(Math.ceil(count / subgroupSize)).forEach((q) => {
    const item = `min(${q * subgroupSize}u + lane, ${count - 1}u)`;
    const entry = alongK
      ? `min(register0 + ${item}, ${extent - 1}u)`
      : `min(register0 + (${item} % ${perStep}u) * 4u, ${extent - 4}u)`;
    prepares.push(`  let p${q} = ${prepare}(${entry}, z);`);
    const k = alongK ? "k" : `k + ${item} / ${perStep}u`;
    loads.push(`    let a${q} = ${load}(p${q}, ${k}, z);`);
  });
  const element = (r: number, k: number) => {
    const item = alongK ? r : k * perStep + Math.floor(r / 4);
    const component = COMPONENTS[alongK ? k : r % 4];
    const [q, lane] = [Math.floor(item / subgroupSize), item % subgroupSize];
    return `subgroupBroadcast(a${q}.${component}, ${lane}u)`;
  };
  return { prepare: prepares.join("\n"), load: loads.join("\n"), element };
}

/** The operand along the lanes: after loading, `b{k}_{v}` holds four entries of a lane at step k. */
function laneLoads(operand: Operand, tile: SubgroupTile, subgroupSize: number) {
  const { prepare, load, alongK, extent } = operand;
  const prepares: string[] = [];
  const loads: string[] = [];
  for (const v of range(tile.vectors)) {
    const entry = `lane0 + ${v * subgroupSize * 4}u + lane * 4u`;
    if (alongK) {
      for (const i of range(4)) {
        prepares.push(`  let q${v}_${i} = ${prepare}(min(${entry} + ${i}u, ${extent - 1}u), z);`);
        loads.push(`    let t${v}_${i} = ${load}(q${v}_${i}, k, z);`);
      }
      for (const k of range(STEP)) {
        const parts = range(4).map((i) => `t${v}_${i}.${COMPONENTS[k]}`);
        loads.push(`    let b${k}_${v} = vec4f(${parts.join(", ")});`);
      }
    } else {
      prepares.push(`  let q${v} = ${prepare}(min(${entry}, ${extent - 4}u), z);`);
      for (const k of range(STEP)) {
        loads.push(`    let b${k}_${v} = ${load}(q${v}, k + ${k}u, z);`);
      }
    }
  }
  return { prepare: prepares.join("\n"), load: loads.join("\n") };
}

/** Sum by sum over all k of the step: a sum is fetched and put back once. */
function multiplyAdds(element: (r: number, k: number) => string, tile: SubgroupTile): string {
  return range(tile.registers).flatMap((r) => [
    ...range(STEP).map((k) => `    let s${r}_${k} = vec4f(${element(r, k)});`),
    ...range(tile.vectors).map((v) => {
      const sum = range(STEP).reduce(
        (sum, k) => `fma(s${r}_${k}, b${k}_${v}, ${sum})`,
        `c${r}_${v}`,
      );
      return `    c${r}_${v} = ${sum};`;
    }),
  ]).join("\n");
}

function stores(problem: GemmProblem, tile: SubgroupTile, subgroupSize: number): string {
  const lines: string[] = [];
  const laneEntry = (v: number) => `lane0 + ${v * subgroupSize * 4}u + lane * 4u`;
  if (tile.lanes === "n") {
    for (const v of range(tile.vectors)) {
      lines.push(`  let n${v} = ${laneEntry(v)};`, `  if (n${v} < ${problem.n}u) {`);
      for (const r of range(tile.registers)) {
        const m = `register0 + ${r}u`;
        lines.push(`    if (${m} < ${problem.m}u) { store_c(${m}, n${v}, z, split, c${r}_${v}); }`);
      }
      lines.push("  }");
    }
    return lines.join("\n");
  }
  for (const v of range(tile.vectors)) {
    for (const i of range(4)) {
      const m = `m${v}_${i}`;
      lines.push(`  let ${m} = ${laneEntry(v)} + ${i}u;`, `  if (${m} < ${problem.m}u) {`);
      for (const q of range(tile.registers / 4)) {
        const n = `register0 + ${4 * q}u`;
        const parts = range(4).map((c) => `c${4 * q + c}_${v}.${COMPONENTS[i]}`);
        const value = `vec4f(${parts.join(", ")})`;
        lines.push(`    if (${n} < ${problem.n}u) { store_c(${m}, ${n}, z, split, ${value}); }`);
      }
      lines.push("  }");
    }
  }
  return lines.join("\n");
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
