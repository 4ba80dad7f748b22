/** Time on the GPU, dispatch by dispatch, by timestamp queries. */
import { readBytes } from "./buffers.ts";

/** A dispatch with its pipeline and its buffers bound. */
export interface PreparedDispatch {
  readonly label: string;
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
}

export interface DispatchTime {
  readonly label: string;
  readonly milliseconds: number;
}

/**
 * Runs the dispatches once, each in a pass of its own, and reads the clock before and after it.
 *
 * @throws {Error} where the adapter has no timestamp queries.
 */
export async function timeDispatches(
  device: GPUDevice,
  dispatches: readonly PreparedDispatch[],
): Promise<DispatchTime[]> {
  if (!device.features.has("timestamp-query")) {
    throw new Error("Cannot profile: the adapter has no timestamp queries");
  }
  const count = 2 * dispatches.length;
  const querySet = device.createQuerySet({ type: "timestamp", count });
  const resolved = device.createBuffer({
    size: count * 8,
    usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
  });
  const encoder = device.createCommandEncoder();
  dispatches.forEach(({ pipeline, bindGroup, workgroups }, index) => {
    const pass = encoder.beginComputePass({
      timestampWrites: {
        querySet,
        beginningOfPassWriteIndex: 2 * index,
        endOfPassWriteIndex: 2 * index + 1,
      },
    });
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(...workgroups);
    pass.end();
  });
  encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
  device.queue.submit([encoder.finish()]);
  const nanoseconds = new BigUint64Array(await readBytes(device, resolved));
  querySet.destroy();
  resolved.destroy();
  return dispatches.map(({ label }, index) => ({
    label,
    milliseconds: Number(nanoseconds[2 * index + 1]! - nanoseconds[2 * index]!) / 1e6,
  }));
}
