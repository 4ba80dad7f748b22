/**
 * Convolution for software drivers, all three directions, in the manner of `kernels/gemm/subgroup`:
 * one subgroup a workgroup, sums in registers, the smaller operand spread over the lanes and handed
 * round by subgroupBroadcast. What differs from the GEMM: the pixels of a row are loaded once for
 * all the taps that they meet, where the implicit GEMM loads them again for each tap. That pays
 * where channels are few: a GEMM then has little to multiply with what it loads.
 *
 * - forward, grad-input: a lane owns a strip of `pixels` neighbouring outputs of one row and
 *   `channels` output channels of it. It walks over the rows of the window and the input channels
 *   in fours. Grad-input with stride 1 is the same with the taps turned round and the weights
 *   transposed.
 * - grad-weight: a lane owns one row of the window and four input channels, for all taps of that
 *   row and `channels` output channels. It walks over the rows of the images, `pixels` at a time.
 * @module
 */
import type { KernelFamily } from "../../gpu/device.ts";
import { type Kernel, specialize } from "../../gpu/kernel.ts";
import { operandText } from "../../kernels/operand.ts";
import {
  loopBodyNs,
  MAX_LOOP_TURNS,
  STORE_NS,
  THREADS,
  withCompiling,
} from "../../kernels/software_cost.ts";
import { type RankedTile, tileName } from "../../kernels/tile.ts";

/** A strip's size; both numbers are small enough that everything is unrolled. */
export interface StripTile {
  readonly family: "strip";
  /** Neighbouring outputs of a row that a lane works on. */
  readonly pixels: number;
  /** Output channels of a lane, a multiple of four. */
  readonly channels: number;
}

/** A convolution as the strip kernels see it: grad-input hands in its mirror image. */
export interface StripProblem {
  readonly label: string;
  readonly batch: number;
  readonly group: number;
  readonly input: { height: number; width: number; stride: number; groupChannels: number };
  readonly output: { height: number; width: number; stride: number; groupChannels: number };
  /** Channels that are not padding, of a group's input. */
  readonly realInputs: number;
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly padTop: number;
  readonly padLeft: number;
}

export interface StripKernel {
  readonly kernel: Kernel;
  readonly workgroups: [number, number, number];
}

const COMPONENTS = "xyzw";
/** Sums of a lane, in vec4, above which the first-level cache no longer holds them. */
const MAX_SUMS = 128;

/**
 * Measured over estimated times, where those of the GEMM are right: strips broadcast and select more
 * than they multiply, and in grad-weight the lanes read rows far apart.
 */
const FORWARD_FACTOR = 1.4;
const GRAD_WEIGHT_FACTOR = 1.5;

const CHANNELS = [4, 8, 12, 16, 24, 32, 48];
const MAX_PIXELS = 16;

/** Every tile that fits the problem's sizes. */
function stripTiles(
  direction: "forward" | "gradWeight",
  problem: StripProblem,
): StripTile[] {
  const { output, kernel } = problem;
  const tiles: StripTile[] = [];
  for (const channels of CHANNELS) {
    if (channels > output.groupChannels && channels !== CHANNELS[0]) continue;
    for (let pixels = 2; pixels <= Math.min(MAX_PIXELS, output.width); pixels++) {
      const sums = direction === "forward" ? pixels * channels / 4 : kernel[1] * channels;
      if (sums <= MAX_SUMS) tiles.push({ family: "strip", pixels, channels });
    }
  }
  return tiles;
}

/** Input pixels of a strip. */
function span({ pixels }: StripTile, { kernel, strides }: StripProblem): number {
  return (pixels - 1) * strides[1] + kernel[1];
}

/**
 * The tiles that fit, by the driver's costs in nanoseconds a dispatch, compiling included, cheapest
 * first; none for rows of one pixel.
 */
export function rankStripTiles(
  direction: "forward" | "gradWeight",
  problem: StripProblem,
  subgroupSize: number,
): RankedTile<StripTile>[] {
  const costOf = direction === "forward" ? forwardCost : gradWeightCost;
  return stripTiles(direction, problem)
    .map((tile) => ({ tile, cost: costOf(problem, tile, subgroupSize) }))
    .sort((a, b) => a.cost - b.cost);
}

function forwardCost(problem: StripProblem, tile: StripTile, subgroupSize: number): number {
  const { kernel, realInputs, input } = problem;
  const { workgroups } = forwardGrid(problem, tile, subgroupSize);
  const rounds = Math.ceil(workgroups[0] * workgroups[1] * workgroups[2] / THREADS);
  const sums = tile.pixels * tile.channels / 4;
  const components = Math.min(4, realInputs);
  const body = {
    loads: Math.ceil(kernel[1] * tile.channels / subgroupSize),
    checkedLoads: span(tile, problem),
    broadcasts: kernel[1] * components * tile.channels,
    sums,
    multiplyAdds: sums * kernel[1] * components,
  };
  const turns = kernel[0] * input.groupChannels / 4;
  const estimate = turns * loopBodyNs(body) + sums * STORE_NS;
  return withCompiling(rounds * estimate * FORWARD_FACTOR, body);
}

function forwardGrid(problem: StripProblem, tile: StripTile, subgroupSize: number) {
  const { batch, output, group } = problem;
  const stripsPerRow = Math.ceil(output.width / tile.pixels);
  const strips = batch * output.height * stripsPerRow;
  const workgroups: [number, number, number] = [
    Math.ceil(strips / subgroupSize),
    Math.ceil(output.groupChannels / tile.channels),
    group,
  ];
  return { strips, stripsPerRow, workgroups };
}

/**
 * Forward. Bindings: input, weight, bias and output where `epilogue` is "bias" or "bias-relu";
 * input, weight, output where it is "none" (grad-input).
 *
 * @param weightAlong which channels of the weights are neighbours in memory: those of this
 * problem's output or, for grad-input, those of its input
 */
export function stripForward(
  problem: StripProblem,
  tile: StripTile,
  subgroupSize: number,
  options: {
    readonly epilogue: "none" | "bias" | "bias-relu";
    readonly weightAlong: "output" | "input";
    readonly family: KernelFamily;
  },
): StripKernel {
  const { input, output, kernel, strides, realInputs } = problem;
  const { pixels, channels } = tile;
  const { epilogue, weightAlong, family } = options;
  const { strips, stripsPerRow, workgroups } = forwardGrid(problem, tile, subgroupSize);
  const [height] = kernel;
  const inputs = range(span(tile, problem));
  const bias = epilogue !== "none";
  const weights = weightLoads(problem, tile, subgroupSize, weightAlong);

  const code = `${operandText({ family }, 0, "input")}${operandText({ family }, 1, "weight")}
${bias ? "@group(0) @binding(2) var<storage, read> bias: array<vec4f>;" : ""}
@group(0) @binding(${bias ? 3 : 2}) var<storage, read_write> output: array<vec4f>;

fn pixel(row: i32, x: i32) -> vec4f {
  let inside = row >= 0 && x >= 0 && x < ${input.width};
  return select(vec4f(), read_input(u32(select(0, row + x * ${input.stride / 4}, inside))), inside);
}

fn put(row: u32, x: u32, channel: u32, value: vec4f) {
  if (x < ${output.width}u && channel < ${output.groupChannels}u) {
    output[row + (x * ${output.stride}u + channel) / 4u] = value;
  }
}

@compute @workgroup_size(${subgroupSize})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let strip = min(group.x * ${subgroupSize}u + lane, ${strips - 1}u);
  let x0 = strip % ${stripsPerRow}u * ${pixels}u;
  let y = strip / ${stripsPerRow}u % ${output.height}u;
  let image = strip / ${stripsPerRow * output.height}u;
  let first_channel = group.y * ${channels}u;
  let left = i32(x0) * ${strides[1]} - ${problem.padLeft};
  let top = i32(y) * ${strides[0]} - ${problem.padTop};
${sumNames(pixels, channels / 4).map((name) => `  var ${name} = vec4f();`).join("\n")}
  for (var r = 0; r < ${height}; r++) {
    let in_y = top + r;
    for (var i = 0; i < ${input.groupChannels / 4}; i++) {
      var row = ((i32(image) * ${input.height} + in_y) * ${input.width}) * ${input.stride / 4} +
        i32(group.z) * ${input.groupChannels / 4} + i;
      if (in_y < 0 || in_y >= ${input.height}) {
        row = -1;
      }
${inputs.map((p) => `      let p${p} = pixel(row, left + ${p});`).join("\n")}
${weights.text}
${forwardMultiplyAdds(problem, tile, weights.element, Math.min(4, realInputs))}
    }
  }
  if (group.x * ${subgroupSize}u + lane >= ${strips}u) {
    return;
  }
  let out_row = ((image * ${output.height}u + y) * ${output.width}u * ${output.stride}u +
    group.z * ${output.groupChannels}u) / 4u;
${
    range(channels / 4).map((c) => {
      const channel = `first_channel + ${4 * c}u`;
      const add = bias
        ? `  let bias${c} = bias[min(group.z * ${output.groupChannels}u + ${channel}, ${
          output.stride - 4
        }u) / 4u];\n`
        : "";
      return add + range(pixels).map((x) => {
        const sum = bias ? `c${x}_${c} + bias${c}` : `c${x}_${c}`;
        const value = epilogue === "bias-relu" ? `max(${sum}, vec4f())` : sum;
        return `  put(out_row, x0 + ${x}u, ${channel}, ${value});`;
      }).join("\n");
    }).join("\n")
  }
}
`;
  return {
    kernel: { label: `${problem.label} ${tileName(tile)}`, code: specialize(code, {}) },
    workgroups,
  };
}

/**
 * The weights of one window row and four input channels: width x 4 x channels numbers, spread over
 * the lanes. `element(s, i, o)` is one of them in every lane.
 */
function weightLoads(
  problem: StripProblem,
  tile: StripTile,
  subgroupSize: number,
  along: "output" | "input",
) {
  const { input, output, kernel } = problem;
  const [height, width] = kernel;
  const { channels } = tile;
  const items = width * channels;
  const text = range(Math.ceil(items / subgroupSize)).map((q) => {
    const item = `let item${q} = min(${q * subgroupSize}u + lane, ${items - 1}u);`;
    const at = along === "output"
      // item = (s, input channel, four output channels); memory [g][r][s][in][out].
      ? `let o${q} = min(first_channel + item${q} % ${channels / 4}u * 4u, ${
        output.groupChannels - 4
      }u);
      let i${q} = u32(i) * 4u + item${q} / ${channels / 4}u % 4u;
      let s${q} = item${q} / ${channels}u;
      let at${q} = ((((group.z * ${height}u + u32(r)) * ${width}u + s${q}) * ${input.groupChannels}u + i${q}) * ${output.groupChannels}u + o${q}) / 4u;`
      // item = (s, output channel, four input channels); the taps are turned round and in this
      // problem's terms memory is [g][r][s][out][in].
      : `let o${q} = min(first_channel + item${q} % ${channels}u, ${output.groupChannels - 1}u);
      let s${q} = ${width - 1}u - item${q} / ${channels}u;
      let at${q} = ((((group.z * ${height}u + ${
        height - 1
      }u - u32(r)) * ${width}u + s${q}) * ${output.groupChannels}u + o${q}) * ${input.groupChannels}u + u32(i) * 4u) / 4u;`;
    return `      ${item}
      ${at}
      let w${q} = read_weight(at${q});`;
  }).join("\n");
  const element = (s: number, i: number, o: number) => {
    const item = along === "output"
      ? (s * 4 + i) * (channels / 4) + Math.floor(o / 4)
      : s * channels + o;
    const component = COMPONENTS[along === "output" ? o % 4 : i];
    const [q, lane] = [Math.floor(item / subgroupSize), item % subgroupSize];
    return `subgroupBroadcast(w${q}.${component}, ${lane}u)`;
  };
  return { text, element };
}

/** Channel by channel, tap by tap, so that a broadcast weight serves all pixels of the strip. */
function forwardMultiplyAdds(
  { kernel, strides }: StripProblem,
  { pixels, channels }: StripTile,
  element: (s: number, i: number, o: number) => string,
  components: number,
): string {
  return range(channels / 4).map((c) => {
    const taps = range(kernel[1]).flatMap((s) => range(components).map((i) => [s, i] as const));
    const weights = taps.map(([s, i]) => {
      const parts = range(4).map((o) => element(s, i, 4 * c + o));
      return `      let v${c}_${s}_${i} = vec4f(${parts.join(", ")});`;
    });
    const sums = range(pixels).map((x) => {
      const sum = taps.reduce(
        (sum, [s, i]) =>
          `fma(vec4f(p${x * strides[1] + s}.${COMPONENTS[i]}), v${c}_${s}_${i}, ${sum})`,
        `c${x}_${c}`,
      );
      return `      c${x}_${c} = ${sum};`;
    });
    return [...weights, ...sums].join("\n");
  }).join("\n");
}

/** Workgroups over the weights, pieces that the images are cut into, and images of a piece. */
function gradWeightGrid(problem: StripProblem, tile: StripTile, subgroupSize: number) {
  const { batch, input, output, kernel, group } = problem;
  const rows = kernel[0] * input.groupChannels / 4;
  const across = Math.ceil(rows / subgroupSize);
  const columns = Math.ceil(output.groupChannels / tile.channels);
  const groups = across * columns * group;
  // Two threads are even with two or with many workgroups; each piece costs a partial sum.
  const wanted = groups % THREADS === 0 || groups > 8 ? 1 : THREADS;
  const turnsOfImage = output.height * (1 + Math.ceil(output.width / tile.pixels)) + 1;
  const allowed = Math.max(1, Math.floor(MAX_LOOP_TURNS / turnsOfImage));
  const splits = Math.min(batch, Math.max(wanted, Math.ceil(batch / allowed)));
  return { rows, across, columns, splits, images: Math.ceil(batch / splits) };
}

/** Partial sums that {@link stripGradWeight} leaves, each as large as the weights. */
export function gradWeightParts(
  problem: StripProblem,
  tile: StripTile,
  subgroupSize: number,
): number {
  return gradWeightGrid(problem, tile, subgroupSize).splits;
}

function gradWeightCost(problem: StripProblem, tile: StripTile, subgroupSize: number): number {
  const { output, kernel, group } = problem;
  const { across, columns, splits, images } = gradWeightGrid(problem, tile, subgroupSize);
  const rounds = Math.ceil(across * columns * group * splits / THREADS);
  const stretches = images * output.height * Math.ceil(output.width / tile.pixels);
  const sums = kernel[1] * tile.channels;
  const body = {
    loads: 0,
    checkedLoads: span(tile, problem) +
      Math.ceil(tile.pixels * tile.channels / 4 / subgroupSize),
    broadcasts: tile.pixels * tile.channels,
    sums,
    multiplyAdds: tile.pixels * sums,
  };
  const estimate = stretches * loopBodyNs(body) + sums * STORE_NS;
  return withCompiling(rounds * estimate * GRAD_WEIGHT_FACTOR, body);
}

/** Grad-weight. Bindings: input, gradOutput, gradWeight (or its partial sums, one after another). */
export function stripGradWeight(
  problem: StripProblem,
  tile: StripTile,
  subgroupSize: number,
  options: { readonly accumulate: boolean; readonly family: KernelFamily },
): StripKernel {
  const { batch, input, output, kernel, strides, group } = problem;
  const { pixels, channels } = tile;
  const { rows, across, columns, splits, images } = gradWeightGrid(problem, tile, subgroupSize);
  const [height, width] = kernel;
  const inputVectors = input.groupChannels / 4;
  const gradients = gradientLoads(tile, subgroupSize);
  const floats = group * height * width * input.groupChannels * output.groupChannels;
  const code = `${operandText(options, 0, "input")}${operandText(options, 1, "grad_output")}
@group(0) @binding(2) var<storage, read_write> grad_weight: array<vec4f>;

fn pixel(row: i32, x: i32) -> vec4f {
  let inside = row >= 0 && x >= 0 && x < ${input.width};
  return select(vec4f(), read_input(u32(select(0, row + x * ${input.stride / 4}, inside))), inside);
}

fn gradient(row: u32, x: u32, channel: u32) -> vec4f {
  let inside = x < ${output.width}u && channel < ${output.groupChannels}u;
  let at = select(0u, row + (x * ${output.stride}u + channel) / 4u, inside);
  return select(vec4f(), read_grad_output(at), inside);
}

fn put(at: u32, value: vec4f) {
  ${options.accumulate && splits === 1 ? "grad_weight[at] += value;" : "grad_weight[at] = value;"}
}

@compute @workgroup_size(${subgroupSize})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let z = group.z / ${splits}u;
  let split = group.z % ${splits}u;
  let own = min(group.x * ${subgroupSize}u + lane, ${rows - 1}u);
  let r = i32(own / ${inputVectors}u);
  let i = own % ${inputVectors}u;
  let first_channel = group.y * ${channels}u;
${sumNames(width, channels).map((name) => `  var ${name} = vec4f();`).join("\n")}
  let end = min(${batch}u, (split + 1u) * ${images}u);
  for (var image = split * ${images}u; image < end; image++) {
    for (var y = 0; y < ${output.height}; y++) {
      let in_y = y * ${strides[0]} + r - ${problem.padTop};
      var row = (i32(image) * ${input.height} + in_y) * ${input.width * input.stride / 4} +
        i32(z * ${inputVectors}u + i);
      if (in_y < 0 || in_y >= ${input.height}) {
        row = -1;
      }
      let out_row = ((image * ${output.height}u + u32(y)) * ${output.width * output.stride}u +
        z * ${output.groupChannels}u) / 4u;
      for (var x0 = 0; x0 < ${output.width}; x0 += ${pixels}) {
        let left = x0 * ${strides[1]} - ${problem.padLeft};
${range(span(tile, problem)).map((p) => `        let p${p} = pixel(row, left + ${p});`).join("\n")}
${gradients.text}
${
    range(channels).map((o) => {
      const g = range(pixels).map((x) =>
        `        let g${o}_${x} = vec4f(${gradients.element(x, o)});`
      );
      const sums = range(width).map((s) => {
        const sum = range(pixels).reduce(
          (sum, x) => `fma(p${x * strides[1] + s}, g${o}_${x}, ${sum})`,
          `c${s}_${o}`,
        );
        return `        c${s}_${o} = ${sum};`;
      });
      return [...g, ...sums].join("\n");
    }).join("\n")
  }
      }
    }
  }
  if (group.x * ${subgroupSize}u + lane >= ${rows}u) {
    return;
  }
${
    range(channels / 4).map((c) =>
      `  if (first_channel + ${4 * c}u < ${output.groupChannels}u) {
${
        range(width).flatMap((s) =>
          range(4).map((k) => {
            const parts = range(4).map((o) => `c${s}_${4 * c + o}.${COMPONENTS[k]}`);
            const at =
              `(split * ${floats}u + (((z * ${height}u + u32(r)) * ${width}u + ${s}u) * ${input.groupChannels}u + i * 4u + ${k}u) * ${output.groupChannels}u + first_channel + ${
                4 * c
              }u) / 4u`;
            return `    put(${at}, vec4f(${parts.join(", ")}));`;
          })
        ).join("\n")
      }
  }`
    ).join("\n")
  }
}
`;
  return {
    kernel: { label: `${problem.label} ${tileName(tile)}`, code: specialize(code, {}) },
    workgroups: [across, columns, group * splits],
  };
}

/** The gradients of a stretch of pixels, spread over the lanes; `element(x, o)` in every lane. */
function gradientLoads(tile: StripTile, subgroupSize: number) {
  const { pixels, channels } = tile;
  const perPixel = channels / 4;
  const items = pixels * perPixel;
  const text = range(Math.ceil(items / subgroupSize)).map((q) =>
    `        let item${q} = min(${q * subgroupSize}u + lane, ${items - 1}u);
        let w${q} = gradient(out_row, u32(x0) + item${q} / ${perPixel}u, first_channel + item${q} % ${perPixel}u * 4u);`
  ).join("\n");
  const element = (x: number, o: number) => {
    const item = x * perPixel + Math.floor(o / 4);
    const [q, lane] = [Math.floor(item / subgroupSize), item % subgroupSize];
    return `subgroupBroadcast(w${q}.${COMPONENTS[o % 4]}, ${lane}u)`;
  };
  return { text, element };
}

function sumNames(rows: number, columns: number): string[] {
  return range(rows).flatMap((row) => range(columns).map((column) => `c${row}_${column}`));
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
