import { encodeImageCopy } from "./images.ts";
import type { PreparedDispatch } from "./prepare.ts";

/**
 * Encodes dispatches in their order, into one pass as far as no copy into an image comes between
 * them. The clock, where one is given, is read before the first and after the last.
 */
export function encodeDispatches(
  encoder: GPUCommandEncoder,
  dispatches: readonly PreparedDispatch[],
  clock?: Required<GPUComputePassTimestampWrites>,
): void {
  // Timestamps belong to passes, and copies lie between passes.
  const apart = clock && dispatches.some(({ copies }) => copies.length > 0) ? clock : undefined;
  if (apart) {
    const { querySet, beginningOfPassWriteIndex } = apart;
    stamp(encoder, { querySet, beginningOfPassWriteIndex });
  }
  let pass = apart ? null : encoder.beginComputePass(clock ? { timestampWrites: clock } : {});
  for (const { copies, pipeline, bindGroup, workgroups } of dispatches) {
    if (copies.length > 0) {
      pass?.end();
      pass = null;
      for (const copy of copies) encodeImageCopy(encoder, copy);
    }
    pass ??= encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(...workgroups);
  }
  pass?.end();
  if (apart) {
    const { querySet, endOfPassWriteIndex } = apart;
    stamp(encoder, { querySet, endOfPassWriteIndex });
  }
}

function stamp(encoder: GPUCommandEncoder, timestampWrites: GPUComputePassTimestampWrites): void {
  encoder.beginComputePass({ timestampWrites }).end();
}
