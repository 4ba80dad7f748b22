/** Time on the GPU, dispatch by dispatch, by timestamp queries. */
import { readBytes } from "./buffers.ts";
import { encodeDispatches } from "./encode.ts";
import type { PreparedDispatch } from "./prepare.ts";

export interface DispatchTime<Prepared extends PreparedDispatch = PreparedDispatch> {
  readonly label: string;
  readonly dispatch: Prepared;
  /** On the adapter's own clock, whose zero says nothing. */
  readonly startMilliseconds: number;
  readonly milliseconds: number;
}

/** A query set holds 4096 times at most (WebGPU, GPUQuerySetDescriptor): two a dispatch. */
const MOST_AT_ONCE = 2048;

/** @throws {Error} where the adapter has no timestamp queries. */
export function requireTimestamps(device: GPUDevice): void {
  if (device.features.has("timestamp-query")) return;
  throw new Error("Cannot profile: the adapter has no timestamp queries");
}

/**
 * Runs the dispatches once and reads the clock before and after each, its copies into images included.
 *
 * @throws {Error} where the adapter has no timestamp queries.
 */
export async function timeDispatches<Prepared extends PreparedDispatch>(
  device: GPUDevice,
  dispatches: readonly Prepared[],
): Promise<DispatchTime<Prepared>[]> {
  requireTimestamps(device);
  const times: DispatchTime<Prepared>[] = [];
  for (let first = 0; first < dispatches.length; first += MOST_AT_ONCE) {
    times.push(...await timeSome(device, dispatches.slice(first, first + MOST_AT_ONCE)));
  }
  return times;
}

async function timeSome<Prepared extends PreparedDispatch>(
  device: GPUDevice,
  dispatches: readonly Prepared[],
): Promise<DispatchTime<Prepared>[]> {
  const count = 2 * dispatches.length;
  const querySet = device.createQuerySet({ type: "timestamp", count });
  const resolved = device.createBuffer({
    size: count * 8,
    usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
  });
  const encoder = device.createCommandEncoder();
  dispatches.forEach((dispatch, index) =>
    encodeDispatches(encoder, [dispatch], {
      querySet,
      beginningOfPassWriteIndex: 2 * index,
      endOfPassWriteIndex: 2 * index + 1,
    })
  );
  encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
  device.queue.submit([encoder.finish()]);
  const nanoseconds = new BigUint64Array(await readBytes(device, resolved));
  querySet.destroy();
  resolved.destroy();
  return dispatches.map((dispatch, index) => {
    const [start, end] = [nanoseconds[2 * index]!, nanoseconds[2 * index + 1]!];
    return {
      label: dispatch.label,
      dispatch,
      startMilliseconds: Number(start) / 1e6,
      milliseconds: Number(end - start) / 1e6,
    };
  });
}
