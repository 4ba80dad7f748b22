/** Reading in two halves: the copy is queued now, and waited for when the queue is idle anyway. */

/** Queues the copy of a whole buffer. */
export function stageCopy(device: GPUDevice, buffer: GPUBuffer): GPUBuffer {
  const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ;
  const staging = device.createBuffer({ size: buffer.size, usage });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
  device.queue.submit([encoder.finish()]);
  return staging;
}

/** What {@link stageCopy} copied; once. */
export async function takeStaged(staging: GPUBuffer): Promise<ArrayBuffer> {
  await staging.mapAsync(GPUMapMode.READ);
  const bytes = staging.getMappedRange().slice(0);
  staging.destroy();
  return bytes;
}
