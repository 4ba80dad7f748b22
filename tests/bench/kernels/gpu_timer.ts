/** How long a list of dispatches takes on the GPU. */
import { readBytes } from "../../../training/gpu/buffers.ts";
import type { Gpu } from "../../../training/gpu/device.ts";
import type { PreparedDispatch } from "../../../training/gpu/prepare.ts";
import { median } from "../../../training/profile/median.ts";
import { submit } from "./layer_run.ts";

export interface TimerOptions {
  /** Measurements, after one to warm up. */
  readonly runs: number;
  /** Of one measurement: the list is repeated until it takes so long. */
  readonly milliseconds: number;
}

/**
 * Timestamps around one pass that holds the list as often as makes it long enough; without
 * timestamp queries the wall clock, less what an empty pass takes.
 */
export class GpuTimer {
  readonly #gpu: Gpu;
  readonly #querySet: GPUQuerySet | undefined;
  readonly #resolved: GPUBuffer | undefined;

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
    if (!gpu.device.features.has("timestamp-query")) return;
    this.#querySet = gpu.device.createQuerySet({ type: "timestamp", count: 2 });
    this.#resolved = gpu.device.createBuffer({
      size: 16,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    });
  }

  get clock(): "timestamp queries" | "wall clock" {
    return this.#querySet ? "timestamp queries" : "wall clock";
  }

  /** Median milliseconds of one run of the list. */
  async time(dispatches: readonly PreparedDispatch[], options: TimerOptions): Promise<number> {
    return median(await this.times(dispatches, options));
  }

  /** Milliseconds of one run of the list, measurement by measurement. */
  async times(
    dispatches: readonly PreparedDispatch[],
    options: TimerOptions,
  ): Promise<number[]> {
    const first = await this.#once(dispatches, 1);
    // A first run may pay for memory and for clocks that have gone down, so a short one is asked again.
    const estimate = first < options.milliseconds ? await this.#once(dispatches, 1) : first;
    const repeats = Math.max(1, Math.ceil(options.milliseconds / Math.max(estimate, 1e-3)));
    const times: number[] = [];
    for (let run = 0; run < options.runs; run++) {
      times.push(await this.#once(dispatches, repeats) / repeats);
    }
    this.#gpu.check();
    return times;
  }

  close(): void {
    this.#querySet?.destroy();
    this.#resolved?.destroy();
  }

  async #once(dispatches: readonly PreparedDispatch[], repeats: number): Promise<number> {
    const { device } = this.#gpu;
    if (!this.#querySet || !this.#resolved) {
      const empty = await wallClock(device, () => submit(device, [], 1));
      return Math.max(
        0,
        await wallClock(device, () => submit(device, dispatches, repeats)) - empty,
      );
    }
    submit(device, dispatches, repeats, {
      querySet: this.#querySet,
      beginningOfPassWriteIndex: 0,
      endOfPassWriteIndex: 1,
    });
    const encoder = device.createCommandEncoder();
    encoder.resolveQuerySet(this.#querySet, 0, 2, this.#resolved, 0);
    device.queue.submit([encoder.finish()]);
    const [begin, end] = new BigUint64Array(await readBytes(device, this.#resolved));
    return Number(end! - begin!) / 1e6;
  }
}

async function wallClock(device: GPUDevice, work: () => void): Promise<number> {
  await device.queue.onSubmittedWorkDone();
  const start = performance.now();
  work();
  await device.queue.onSubmittedWorkDone();
  return performance.now() - start;
}
