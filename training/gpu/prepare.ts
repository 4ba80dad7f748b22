import type { Dispatch } from "./kernel.ts";
import type { PipelineCache } from "./pipelines.ts";

/** A dispatch with its pipeline and its buffers bound. */
export interface PreparedDispatch {
  readonly label: string;
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
}

/**
 * Compiles and binds. What else a dispatch says of itself stays with it.
 *
 * @throws {Error} naming the kernel that does not compile.
 */
export async function prepareDispatches<Ref, Own extends Dispatch<Ref>>(
  device: GPUDevice,
  pipelines: PipelineCache,
  dispatches: readonly Own[],
  bufferOf: (ref: Ref) => GPUBuffer,
): Promise<(Omit<Own, "kernel" | "bindings"> & PreparedDispatch)[]> {
  await pipelines.prepare(dispatches.map(({ kernel }) => kernel));
  return dispatches.map(({ kernel, bindings, ...rest }) => {
    const { label } = kernel;
    const pipeline = pipelines.get(kernel);
    const bindGroup = device.createBindGroup({
      label,
      layout: pipeline.getBindGroupLayout(0),
      entries: bindings.map(({ buffer, offset = 0, size }, binding) => ({
        binding,
        resource: { buffer: bufferOf(buffer), offset, ...(size === undefined ? {} : { size }) },
      })),
    });
    return { ...rest, label, pipeline, bindGroup };
  });
}
