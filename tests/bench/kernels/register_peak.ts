/**
 * The ceiling over every kernel: fused multiply-adds that touch registers alone, as fast as this
 * adapter's compiler lets WGSL have them.
 * @module
 */
import { readFloats, storageBuffer } from "../../../training/gpu/buffers.ts";
import type { Gpu } from "../../../training/gpu/device.ts";
import type { Dispatch } from "../../../training/gpu/kernel.ts";
import { PipelineCache } from "../../../training/gpu/pipelines.ts";
import { prepareDispatches } from "../../../training/gpu/prepare.ts";
import type { GpuTimer } from "./gpu_timer.ts";

/**
 * Chains that one thread works on: enough to hide the latency of a multiply-add, few enough for 16
 * vector registers, which are all that a software driver has of 256 bits (20 chains: half as fast).
 */
const CHAINS = 10;
/** Written out, because some drivers leave loops as they are and count them. */
const UNROLLED = 32;
const ROUNDS = 64;
const THREADS = { software: 2 ** 14, discrete: 2 ** 21 } as const;
/** Short and many: some of them have the machine to themselves. */
const TIMING = { runs: 30, milliseconds: 5 } as const;

/**
 * GFLOP/s.
 *
 * @throws {Error} where the chains did not come to what they must.
 */
export async function measureRegisterPeak(gpu: Gpu, timer: GpuTimer): Promise<number> {
  const { device, family } = gpu;
  const threads = THREADS[family];
  const numbers = storageBuffer(device, (threads + 2) * 4, "numbers");
  // x <- x / 2 + 1 / 2 goes to 1 from anywhere: their sum shows that the chains were computed.
  device.queue.writeBuffer(numbers, 0, new Float32Array(2).fill(0.5));
  const dispatch: Dispatch<GPUBuffer> = {
    kernel: { label: "multiply-adds", code: kernelText() },
    bindings: [{ buffer: numbers }],
    workgroups: [threads / 64, 1, 1],
  };
  const pipelines = new PipelineCache(device);
  const prepared = await prepareDispatches(device, pipelines, [dispatch], identity);
  // The best: others on the machine only slow it down.
  const milliseconds = Math.min(...await timer.times(prepared, TIMING));
  const [sum] = await readFloats(device, numbers, { offset: 8, size: 4 });
  numbers.destroy();
  if (sum !== CHAINS) throw new Error(`Cannot believe the peak: the chains add up to ${sum}`);
  return 2 * CHAINS * UNROLLED * ROUNDS * threads / milliseconds / 1e6;
}

function identity(buffer: GPUBuffer): GPUBuffer {
  return buffer;
}

/** Nothing is loaded or stored between the first number and the last. */
function kernelText(): string {
  const names = Array.from({ length: CHAINS }, (_, chain) => `x${chain}`);
  const step = names.map((x) => `    ${x} = fma(${x}, factor, factor);\n`).join("");
  return `
@group(0) @binding(0) var<storage, read_write> numbers: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let factor = numbers[0];
  let start = numbers[1] + f32(id.x % 16u);
${names.map((x, chain) => `  var ${x} = start + ${chain}.0;`).join("\n")}
  for (var round = 0; round < ${ROUNDS}; round++) {
${step.repeat(UNROLLED)}  }
  numbers[2u + id.x] = ${names.join(" + ")};
}
`;
}
