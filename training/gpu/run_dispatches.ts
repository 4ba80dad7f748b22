/** Runs dispatches once, over buffers that are made of arrays and read back: no way to train. */
import { readFloats, storageBufferOf } from "./buffers.ts";
import type { Gpu } from "./device.ts";
import type { Dispatch } from "./kernel.ts";
import { PipelineCache } from "./pipelines.ts";

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
  const pipelines = new PipelineCache(device);
  await pipelines.prepare(dispatches.map(({ kernel }) => kernel));
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
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (const { kernel, bindings, workgroups } of dispatches) {
    const pipeline = pipelines.get(kernel);
    const entries = bindings.map(({ buffer: name, offset = 0, size }, binding) => {
      const buffer = buffers.get(name)!;
      return { binding, resource: { buffer, offset, size: size ?? buffer.size - offset } };
    });
    pass.setPipeline(pipeline);
    pass.setBindGroup(
      0,
      device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }),
    );
    pass.dispatchWorkgroups(...workgroups);
  }
  pass.end();
  device.queue.submit([encoder.finish()]);
  const results: Record<string, Float32Array> = {};
  for (const [name, buffer] of buffers) {
    if (buffer.usage & GPUBufferUsage.STORAGE) results[name] = await readFloats(device, buffer);
    buffer.destroy();
  }
  check();
  return results as Record<Name, Float32Array>;
}
