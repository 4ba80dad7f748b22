/** Creating, filling and reading GPU buffers. */

const STORAGE = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;

/** A zeroed storage buffer of at least 4 bytes, rounded up to a multiple of 4. */
export function storageBuffer(device: GPUDevice, bytes: number, label: string): GPUBuffer {
  return device.createBuffer({
    label,
    size: Math.max(4, Math.ceil(bytes / 4) * 4),
    usage: STORAGE,
  });
}

/** A storage buffer that holds the given numbers; the last word is filled up with zeros. */
export function storageBufferOf(
  device: GPUDevice,
  data: ArrayBufferView<ArrayBuffer>,
  label: string,
): GPUBuffer {
  const buffer = storageBuffer(device, data.byteLength, label);
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const whole = bytes.length - bytes.length % 4;
  device.queue.writeBuffer(buffer, 0, bytes, 0, whole);
  if (whole < bytes.length) {
    const last = new Uint8Array(4);
    last.set(bytes.subarray(whole));
    device.queue.writeBuffer(buffer, whole, last);
  }
  return buffer;
}

/**
 * Copies a range back to the CPU and hands its bytes out while they are mapped. It waits for the
 * queue: never inside a training step.
 *
 * @param use the bytes are gone when it returns
 */
export async function readMapped<T>(
  device: GPUDevice,
  buffer: GPUBuffer,
  range: { readonly offset?: number; readonly size?: number },
  use: (bytes: ArrayBuffer) => T,
): Promise<T> {
  const { offset = 0, size = buffer.size - offset } = range;
  const staging = device.createBuffer({
    size,
    usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
  });
  try {
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, offset, staging, 0, size);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    return use(staging.getMappedRange());
  } finally {
    staging.destroy();
  }
}

/**
 * Copies a range back to the CPU. It waits for the queue: never inside a training step.
 *
 * @param range bytes, multiples of 4; the whole buffer by default
 */
export function readBytes(
  device: GPUDevice,
  buffer: GPUBuffer,
  range: { offset?: number; size?: number } = {},
): Promise<ArrayBuffer> {
  return readMapped(device, buffer, range, (bytes) => bytes.slice(0));
}

/** As {@link readBytes}, as float32. */
export async function readFloats(
  device: GPUDevice,
  buffer: GPUBuffer,
  range?: { offset?: number; size?: number },
): Promise<Float32Array<ArrayBuffer>> {
  return new Float32Array(await readBytes(device, buffer, range));
}
