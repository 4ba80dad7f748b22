import type { Shape } from "../ops/op.ts";

/** Passes of an evaluation whose answers are read in one go. */
export const PASSES_KEPT = 4;

/**
 * Gathers the network's answers of several passes on the GPU, so that the host waits once for all of
 * them: a wait costs the whole queue and some milliseconds more.
 */
export class OutputReader {
  readonly #device: GPUDevice;
  readonly #shape: Shape;
  /** Of one pass. */
  readonly #images: number;
  readonly #gathered: GPUBuffer;
  readonly #most: number;
  #passes = 0;

  constructor(
    device: GPUDevice,
    shape: Shape,
    { images, passes }: { readonly images: number; readonly passes: number },
  ) {
    this.#device = device;
    this.#shape = shape;
    this.#images = images;
    this.#most = passes;
    this.#gathered = device.createBuffer({
      label: "answers",
      size: passes * this.#passBytes,
      usage: GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
  }

  get #passBytes(): number {
    return this.#images * this.#shape.stride * 4;
  }

  /** @throws {RangeError} where more passes are kept than there is room for. */
  keep(from: GPUBuffer): void {
    if (this.#passes === this.#most) {
      throw new RangeError(`Cannot keep answers: take those of ${this.#most} passes first`);
    }
    const encoder = this.#device.createCommandEncoder();
    const at = this.#passes++ * this.#passBytes;
    encoder.copyBufferToBuffer(from, 0, this.#gathered, at, this.#passBytes);
    this.#device.queue.submit([encoder.finish()]);
  }

  /**
   * [passes, images, channels] of what was kept since the last call. The copy is queued at once, so
   * steps may follow before the promise is awaited.
   */
  take(): Promise<Float32Array<ArrayBuffer>> {
    const size = this.#passes * this.#passBytes;
    this.#passes = 0;
    const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ;
    const staging = this.#device.createBuffer({ size, usage });
    const encoder = this.#device.createCommandEncoder();
    encoder.copyBufferToBuffer(this.#gathered, 0, staging, 0, size);
    this.#device.queue.submit([encoder.finish()]);
    return this.#read(staging);
  }

  destroy(): void {
    this.#gathered.destroy();
  }

  async #read(staging: GPUBuffer): Promise<Float32Array<ArrayBuffer>> {
    await staging.mapAsync(GPUMapMode.READ);
    const stored = new Float32Array(staging.getMappedRange());
    const values = withoutPadding(stored, this.#shape);
    staging.destroy();
    return values;
  }
}

/** Rows of `channels` numbers from rows of `stride`. */
export function withoutPadding(
  stored: Float32Array,
  { channels, stride }: Shape,
): Float32Array<ArrayBuffer> {
  const rows = stored.length / stride;
  const values = new Float32Array(rows * channels);
  for (let row = 0; row < rows; row++) {
    values.set(stored.subarray(row * stride, row * stride + channels), row * channels);
  }
  return values;
}
