/** Runs dispatches once, over buffers that are made of arrays and read back: no way to train. */
import { readFloats, storageBufferOf } from "./buffers.ts";
import { encodeDispatches } from "./encode.ts";
import type { Gpu } from "./device.ts";
import type { Dispatch } from "./kernel.ts";
import { PipelineCache } from "./pipelines.ts";
import { prepareDispatches } from "./prepare.ts";

type Numbers = Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/**
 * @param contents what each buffer holds before; an ArrayBuffer makes a uniform one
 * @returns what each storage buffer holds after, as float32
 */
export async function runDispatches<Name extends string>(
  { device, check }: Gpu,
  dispatches: readonly Dispatch<Name>[],
  contents: Readonly<Record<Name, Numbers | ArrayBuffer>>,
): Promise<Record<Name, Float32Array>> {
  const buffers = new Map<string, GPUBuffer>();
  for (const [name, content] of Object.entries<Numbers | ArrayBuffer>(contents)) {
    if (ArrayBuffer.isView(content)) {
      buffers.set(name, storageBufferOf(device, content, name));
      continue;
    }
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    const buffer = device.createBuffer({ label: name, size: content.byteLength, usage });
    device.queue.writeBuffer(buffer, 0, content);
    buffers.set(name, buffer);
  }
  const pipelines = new PipelineCache(device);
  const bufferOf = (name: Name) => buffers.get(name)!;
  const prepared = await prepareDispatches(device, pipelines, dispatches, bufferOf);
  const encoder = device.createCommandEncoder();
  encodeDispatches(encoder, prepared);
  device.queue.submit([encoder.finish()]);
  const results: Record<string, Float32Array> = {};
  for (const [name, buffer] of buffers) {
    if (buffer.usage & GPUBufferUsage.STORAGE) results[name] = await readFloats(device, buffer);
    buffer.destroy();
  }
  pipelines.images.close();
  check();
  return results as Record<Name, Float32Array>;
}
