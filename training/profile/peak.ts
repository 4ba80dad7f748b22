/**
 * What an adapter reaches with this project's own kernels, to hold the layers of a network against:
 * a product of matrices, and a copy.
 * @module
 */
import { storageBuffer, storageBufferOf } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/device.ts";
import { PipelineCache } from "../gpu/pipelines.ts";
import { type PreparedDispatch, prepareDispatches } from "../gpu/prepare.ts";
import { timeDispatches } from "../gpu/profiler.ts";
import { joinChannels } from "../kernels/copy/copy_channels.ts";
import { gemm } from "../ops/gemm/gemm.ts";
import { imageShape, type OpContext, type TensorRef } from "../ops/op.ts";
import { Random } from "../random.ts";

export interface Peak {
  /** 10^9 floating-point operations a second; a multiply-add is two. */
  readonly gigaflops: number;
  /** 10^9 bytes a second, those read and those written. */
  readonly gigabytes: number;
}

/** Rows and columns of the product: enough to fill the adapter for some milliseconds. */
const SIDE = { software: 1024, discrete: 4096 } as const;
/** Bytes to copy, more than a cache holds. */
const COPY_BYTES = { software: 2 ** 26, discrete: 2 ** 28 } as const;
/** The best run counts, for others on the machine only slow it down: so many, or so long. */
const MOST_RUNS = 20;
const MOST_MILLISECONDS = 500;

/** @throws {Error} where the adapter has no timestamp queries. */
export async function measurePeak(gpu: Gpu): Promise<Peak> {
  const product = await measureProduct(gpu, SIDE[gpu.family]);
  const bytes = Math.min(COPY_BYTES[gpu.family], gpu.maxBindingBytes);
  const copy = await measureCopy(gpu, Math.floor(bytes / 256) * 256);
  gpu.check();
  return { gigaflops: product, gigabytes: copy };
}

async function measureProduct(gpu: Gpu, side: number): Promise<number> {
  const { device } = gpu;
  const shape = imageShape(side, 1, 1);
  const op = gemm({ outputs: side, weightInit: { kind: "constant", value: 0 } });
  const context: OpContext = {
    target: gpu,
    batch: side,
    inputs: [shape],
    outputs: [shape],
    training: false,
    fusedRelu: false,
    needsGradInput: [false],
    accumulate: false,
    lossBatch: side,
    stream: 0,
  };
  // Of zeros a card's clock would make more than of numbers.
  const random = new Random(1);
  const numbers = Float32Array.from({ length: side * side }, () => random.normal());
  const buffers = new Map([
    ["input 0", storageBufferOf(device, numbers, "peak input")],
    ["parameter 0", storageBufferOf(device, numbers, "peak weight")],
    ["parameter 1", storageBuffer(device, 4 * side, "peak bias")],
    ["output 0", storageBuffer(device, 4 * side * side, "peak output")],
  ]);
  const bufferOf = ({ role, index }: TensorRef) => buffers.get(`${role} ${index}`)!;
  const { dispatches } = op.forward(context);
  const prepared = await prepareDispatches(device, new PipelineCache(device), dispatches, bufferOf);
  const seconds = await bestSeconds(device, prepared);
  for (const buffer of buffers.values()) buffer.destroy();
  return 2 * side ** 3 / seconds / 1e9;
}

async function measureCopy({ device, maxWorkgroups }: Gpu, bytes: number): Promise<number> {
  const [from, to] = [storageBuffer(device, bytes, "peak"), storageBuffer(device, bytes, "peak")];
  const stride = 64;
  const dispatches = joinChannels({
    pixels: bytes / 4 / stride,
    whole: { buffer: to, stride },
    parts: [{ buffer: from, stride }],
    target: { maxWorkgroups },
  });
  const pipelines = new PipelineCache(device);
  const prepared = await prepareDispatches(device, pipelines, dispatches, identity);
  const seconds = await bestSeconds(device, prepared);
  from.destroy();
  to.destroy();
  return 2 * bytes / seconds / 1e9;
}

function identity(buffer: GPUBuffer): GPUBuffer {
  return buffer;
}

/** The first run is left out: some drivers compile then. */
async function bestSeconds(device: GPUDevice, dispatches: PreparedDispatch[]): Promise<number> {
  await timeDispatches(device, dispatches);
  const start = performance.now();
  let best = Infinity;
  for (let run = 0; run < MOST_RUNS; run++) {
    const times = await timeDispatches(device, dispatches);
    const seconds = times.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / 1000;
    best = Math.min(best, seconds);
    if (performance.now() - start > MOST_MILLISECONDS) break;
  }
  return best;
}
