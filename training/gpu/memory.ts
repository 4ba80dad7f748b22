/** Running out of the device's memory, which WebGPU tells of only where it is asked. */

/** The device refused an allocation. */
export class OutOfGpuMemoryError extends Error {
  override readonly name = "OutOfGpuMemoryError";
}

/**
 * Runs what allocates and encodes without waiting, and waits for what the device says of it.
 *
 * @throws {OutOfGpuMemoryError} where an allocation was refused
 * @throws {Error} where a command was
 */
export async function allocating<Result>(
  device: GPUDevice,
  allocate: () => Result,
): Promise<Result> {
  device.pushErrorScope("out-of-memory");
  // What is made of a buffer that is not there is invalid: that must not count as a loss.
  device.pushErrorScope("validation");
  let answers: Promise<(GPUError | null)[]>;
  let result: Result;
  try {
    result = allocate();
  } finally {
    answers = Promise.all([device.popErrorScope(), device.popErrorScope()]);
  }
  const [invalid, exhausted] = await answers;
  if (exhausted) throw new OutOfGpuMemoryError(`The GPU was out of memory: ${exhausted.message}`);
  if (invalid) throw new Error(`The GPU refused a command: ${invalid.message}`);
  return result;
}
