import { ScratchImages } from "./images.ts";
import type { Kernel } from "./kernel.ts";

/** Compiles each distinct kernel text once; its dispatches share their images. */
export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #pipelines = new Map<string, GPUComputePipeline>();
  readonly images: ScratchImages;

  constructor(device: GPUDevice) {
    this.#device = device;
    this.images = new ScratchImages(device);
  }

  get size(): number {
    return this.#pipelines.size;
  }

  /** @throws {Error} naming the kernel and the compiler's message, where the text does not compile. */
  async prepare(kernels: Iterable<Kernel>): Promise<void> {
    for (const { label, code } of kernels) {
      if (this.#pipelines.has(code)) continue;
      try {
        const module = this.#device.createShaderModule({ label, code });
        const pipeline = await this.#device.createComputePipelineAsync({
          label,
          layout: "auto",
          compute: { module, entryPoint: "main" },
        });
        this.#pipelines.set(code, pipeline);
      } catch (error) {
        throw new Error(`Cannot compile kernel ${label}: ${(error as Error).message}`, {
          cause: error,
        });
      }
    }
  }

  get({ label, code }: Kernel): GPUComputePipeline {
    const pipeline = this.#pipelines.get(code);
    if (!pipeline) throw new RangeError(`Cannot run kernel ${label}: it was not prepared`);
    return pipeline;
  }
}
