/** What to tell a user whose training went wrong, and what to do about it. */
import { readCheckpoint } from "../checkpoint/checkpoint.ts";
import { NonFiniteTensorError } from "../checkpoint/checkpoint_file.ts";
import { findCheckpoint } from "../checkpoint/checkpoint_folder.ts";
import { type Gpu, openGpu } from "../gpu/device.ts";
import type { Precision } from "../gpu/precision.ts";
import type { Graph } from "../graph/graph.ts";
import { memoryUse } from "../graph/memory_use.ts";
import { initialValues } from "../graph/parameters.ts";
import type { ProgressLine } from "../progress.ts";
import type { TrainerOptions } from "../trainer.ts";
import { findNonFinite, type FirstNonFinite } from "../trainer/find_non_finite.ts";
import { NonFiniteLossError } from "../trainer/loss_watch.ts";
import { formatBytes } from "../../shared/byte_size.ts";
import { messageOf } from "../../shared/message_of.ts";
import { START, type TrainingState } from "../training_state.ts";

/** Whether numbers were lost, not the device or the disk. */
export function isNonFinite(error: unknown): error is Error {
  return error instanceof NonFiniteLossError || error instanceof NonFiniteTensorError;
}

/**
 * The error with the layer where it began, which it looks for by training again from the last
 * checkpoint, and with what to try.
 */
export async function explainNonFinite(
  error: Error,
  run: string,
  options: TrainerOptions,
  line: ProgressLine,
): Promise<Error> {
  const { config, engine } = options;
  const start = await goBack(run, options);
  line.print(`${error.message}: looking for the layer from step ${start.step} on (Ctrl-C: not)`);
  const first = await findNonFinite({ ...options, start }, ({ step }) => {
    line.update(`looked at step ${step}`);
  });
  engine.close();
  const half = Number((config.learningRate / 2).toPrecision(3));
  return new Error(
    `${error.message}${first ? `; ${where(first)}` : ""}. ${kept(run, start)}. Try a lower rate ` +
      `(--learning-rate ${half}) or a longer rise to it (--warmup-steps ` +
      `${Math.max(100, 2 * config.warmupSteps)}), with another --out`,
    { cause: error },
  );
}

function where({ what, direction, step }: FirstNonFinite): string {
  const pass = direction === "update" ? "in the update" : `in the ${direction} pass`;
  return `${what} was the first that was not finite, ${pass} of step ${step}`;
}

/** Puts the engine where the last good checkpoint was, or before the first step. */
async function goBack(run: string, { engine, config }: TrainerOptions): Promise<TrainingState> {
  const path = await findCheckpoint(run, "latest");
  if (path !== null) {
    const { state, parameters, momenta } = await readCheckpoint(path);
    engine.loadParameters(parameters);
    engine.loadMomenta(momenta);
    return state;
  }
  const parameters = initialValues(engine.arena, config.seed);
  engine.loadParameters(parameters);
  engine.loadMomenta(
    new Map([...parameters].map(([name, { length }]) => [name, new Float32Array(length)])),
  );
  return START;
}

function kept(run: string, { step }: TrainingState): string {
  return step === 0 ? `No checkpoint is in ${run} yet` : `The checkpoint of step ${step} is intact`;
}

/**
 * The error with the way on from the last checkpoint, where there is one, and where the GPU gave up
 * with what smaller parts of a batch would take of its memory.
 */
export async function explainStop(
  error: unknown,
  run: string,
  gpu: Gpu,
  memory: MemoryAdvice,
): Promise<Error> {
  const { message } = await withMemory(await causeOf(error, gpu), memory);
  const path = await findCheckpoint(run, "latest").catch(() => null);
  const way = path === null
    ? "it has no checkpoint yet: train again"
    : `${path} is intact: go on with ./topfive train --resume ${run}`;
  return new Error(`${message} (${way})`, { cause: error });
}

/** A lost device fails whatever is asked of it first, and says so itself a moment later. */
async function causeOf(error: unknown, gpu: Gpu): Promise<unknown> {
  await new Promise((resolve) => setTimeout(resolve, 0));
  try {
    gpu.check();
  } catch (cause) {
    return cause;
  }
  return error;
}

/** The error, and where the GPU gave up also what training takes of its memory. */
export async function withMemory(error: unknown, memory: MemoryAdvice): Promise<Error> {
  const reason = messageOf(error);
  if (isOutOfMemory(reason)) {
    return new Error(`${reason}. ${memory.describe()}; ${await memory.findFit()}`, {
      cause: error,
    });
  }
  if (!isOfGpu(reason)) return error instanceof Error ? error : new Error(reason);
  return new Error(`${reason}. ${memory.describe()}`, { cause: error });
}

function isOutOfMemory(reason: string): boolean {
  return /out of memory|not enough memory/i.test(reason);
}

/** WebGPU does not tell how much memory there is: a loss may be for want of it. */
function isOfGpu(reason: string): boolean {
  return isOutOfMemory(reason) || /GPU was lost|device (is|was) lost/i.test(reason);
}

interface Training {
  readonly graph: Graph;
  readonly gpu: Gpu;
  readonly precision: Precision;
  /** Images that were to be worked on at a time. */
  readonly partSize: number;
  /** One image as bytes. */
  readonly recordBytes: number;
  /** Makes ready to train in parts of so many images. */
  tryParts(gpu: Gpu, images: number): Promise<unknown>;
}

/** What training takes of the device's memory, whole and in smaller parts. */
export class MemoryAdvice {
  readonly #training: Training;
  readonly #smaller: readonly number[];

  constructor(training: Training) {
    this.#training = training;
    const { partSize } = training;
    const halvings = Array.from(
      { length: Math.floor(Math.log2(partSize)) },
      (_, i) => 2 ** (i + 1),
    );
    this.#smaller = halvings.filter((parts) => partSize % parts === 0)
      .map((parts) => partSize / parts);
  }

  #bytes(images: number): number {
    const { graph, gpu, precision, recordBytes } = this.#training;
    return memoryUse(graph, images, { target: { ...gpu, precision }, recordBytes }).total;
  }

  /** By the memory plan. */
  describe(): string {
    const { partSize } = this.#training;
    const shown = this.#smaller.slice(0, 3).map((images) =>
      `--micro-batch ${images} ${formatBytes(this.#bytes(images))}`
    );
    const others = shown.length > 0 ? `; of the same batch in parts, ${shown.join(", ")}` : "";
    return `${partSize} images at a time take ${
      formatBytes(this.#bytes(partSize))
    } of its memory${others}`;
  }

  /** By trying, each part on a device of its own: one keeps what was given back to it. */
  async findFit(): Promise<string> {
    this.#training.gpu.close();
    for (const images of this.#smaller) {
      if (await this.#fits(images)) {
        return `what is free now is enough for --micro-batch ${images}`;
      }
    }
    return "what is free now is not enough for any part of it: end what else uses the GPU";
  }
  async #fits(images: number): Promise<boolean> {
    let gpu: Gpu | null = null;
    try {
      gpu = await openGpu();
      await this.#training.tryParts(gpu, images);
      return true;
    } catch (error) {
      // Opening, compiling and allocating each say it in their own way.
      if (isOfGpu(String(error))) return false;
      throw error;
    } finally {
      gpu?.close();
    }
  }
}
