import type { ImageCopy } from "./images.ts";
import type { Dispatch } from "./kernel.ts";
import { allocating } from "./memory.ts";
import type { PipelineCache } from "./pipelines.ts";

/** A dispatch with its pipeline and its buffers bound. */
export interface PreparedDispatch {
  readonly label: string;
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  /** What its images are filled with first. */
  readonly copies: readonly ImageCopy[];
  readonly workgroups: readonly [number, number, number];
}

/**
 * Compiles and binds. What else a dispatch says of itself stays with it.
 *
 * @throws {OutOfGpuMemoryError} where there is no memory for images of operands.
 * @throws {Error} naming the kernel that does not compile.
 */
export async function prepareDispatches<Ref, Own extends Dispatch<Ref>>(
  device: GPUDevice,
  pipelines: PipelineCache,
  dispatches: readonly Own[],
  bufferOf: (ref: Ref) => GPUBuffer,
): Promise<(Omit<Own, "kernel" | "bindings"> & PreparedDispatch)[]> {
  await pipelines.prepare(dispatches.map(({ kernel }) => kernel));
  return await allocating(device, () => bindAll(device, pipelines, dispatches, bufferOf));
}

function bindAll<Ref, Own extends Dispatch<Ref>>(
  device: GPUDevice,
  pipelines: PipelineCache,
  dispatches: readonly Own[],
  bufferOf: (ref: Ref) => GPUBuffer,
): (Omit<Own, "kernel" | "bindings"> & PreparedDispatch)[] {
  return dispatches.map(({ kernel, bindings, ...rest }) => {
    const { label } = kernel;
    const pipeline = pipelines.get(kernel);
    const copies: ImageCopy[] = [];
    const entries = bindings.map(({ buffer: ref, offset = 0, size, image }, binding) => {
      const buffer = bufferOf(ref);
      const range = { buffer, offset, size: size ?? buffer.size - offset };
      if (!image) return { binding, resource: range };
      const copy = pipelines.images.copyOf(binding, range);
      copies.push(copy);
      return { binding, resource: copy.texture.createView() };
    });
    const bindGroup = device.createBindGroup({
      label,
      layout: pipeline.getBindGroupLayout(0),
      entries,
    });
    return { ...rest, label, pipeline, bindGroup, copies };
  });
}
