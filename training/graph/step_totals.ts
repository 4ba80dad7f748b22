import { TOTAL_ROWS, TOTALS } from "../kernels/totals/totals.ts";

/** Sums over images. */
export interface Totals {
  readonly images: number;
  readonly loss: number;
  readonly top1Errors: number;
  readonly top5Errors: number;
}

/** Those of one step's batch. */
export interface StepTotals extends Totals {
  /** As the step's uniform counts, from 0. */
  readonly step: number;
}

/** Bytes of the buffer that {@link StepTotalsReader} reads. */
export const TOTALS_BYTES = TOTAL_ROWS * TOTALS * 4;

/** Reads the totals of the steps since the last look, without holding later steps up. */
export class StepTotalsReader {
  readonly #device: GPUDevice;
  readonly #buffer: GPUBuffer;
  #steps: number[] = [];

  /** @param buffer what the totals kernel adds to */
  constructor(device: GPUDevice, buffer: GPUBuffer) {
    this.#device = device;
    this.#buffer = buffer;
  }

  /** To be told of each pass that adds to the totals. */
  note(step: number): void {
    if (this.#steps.at(-1) !== step) this.#steps.push(step);
  }

  /**
   * The totals of each step since the last call, which starts them anew. The copy is queued at once,
   * so steps may follow before the promise is awaited; awaiting waits for the queue.
   *
   * @throws {RangeError} where so many steps were made that two share a row.
   */
  takeSteps(): Promise<StepTotals[]> {
    const steps = this.#steps;
    return this.#take().then((rows) => {
      if (steps.length <= TOTAL_ROWS) {
        return steps.map((step) => ({ step, ...rows[step % TOTAL_ROWS]! }));
      }
      throw new RangeError(
        `Cannot tell the totals of ${steps.length} steps apart (expected at most ${TOTAL_ROWS})`,
      );
    });
  }

  /** As {@link takeSteps}, added up: of as many steps as there were. */
  async takeSum(): Promise<Totals> {
    return sumTotals(await this.#take());
  }

  #take(): Promise<Totals[]> {
    const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ;
    const staging = this.#device.createBuffer({ size: TOTALS_BYTES, usage });
    const encoder = this.#device.createCommandEncoder();
    encoder.copyBufferToBuffer(this.#buffer, 0, staging, 0, TOTALS_BYTES);
    encoder.clearBuffer(this.#buffer);
    this.#device.queue.submit([encoder.finish()]);
    this.#steps = [];
    return readRows(staging);
  }
}

async function readRows(staging: GPUBuffer): Promise<Totals[]> {
  await staging.mapAsync(GPUMapMode.READ);
  const numbers = new Float32Array(staging.getMappedRange().slice(0));
  staging.destroy();
  return Array.from({ length: TOTAL_ROWS }, (_, row) => {
    const [loss, top1Errors, top5Errors, images] = numbers.subarray(row * TOTALS);
    return { images: images!, loss: loss!, top1Errors: top1Errors!, top5Errors: top5Errors! };
  });
}

/** Adds in float64 and in order: the sum of an epoch is the same however it was cut into looks. */
export function sumTotals(totals: readonly Totals[], start: Totals = NO_TOTALS): Totals {
  return totals.reduce((sum, own) => ({
    images: sum.images + own.images,
    loss: sum.loss + own.loss,
    top1Errors: sum.top1Errors + own.top1Errors,
    top5Errors: sum.top5Errors + own.top5Errors,
  }), start);
}

export const NO_TOTALS: Totals = { images: 0, loss: 0, top1Errors: 0, top5Errors: 0 };
