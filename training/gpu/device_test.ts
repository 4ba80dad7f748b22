import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { storageBuffer } from "./buffers.ts";
import { openGpu } from "./device.ts";
import { PipelineCache } from "./pipelines.ts";

Deno.test("openGpu() says what it opened", async () => {
  const gpu = await openGpu();
  assert(gpu.description.includes(`(${gpu.family} kernels)`), gpu.description);
  assert(gpu.maxBindingBytes >= 128 * 2 ** 20);
  assert(gpu.subgroupSize >= 4);
  gpu.close();
  await gpu.device.lost;
  gpu.check();
});

Deno.test("Gpu.check() throws the first error of a command", async () => {
  const gpu = await openGpu();
  const buffer = storageBuffer(gpu.device, 16, "small");
  gpu.device.queue.writeBuffer(buffer, 12, new Uint8Array(8));
  await gpu.device.queue.onSubmittedWorkDone();
  assertThrows(() => gpu.check(), Error, "The GPU refused a command");
  gpu.close();
});

const CODE = `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@compute @workgroup_size(1) fn main() { x[0] = 1f; }`;

Deno.test("PipelineCache compiles equal texts once", async () => {
  const gpu = await openGpu();
  const pipelines = new PipelineCache(gpu.device);
  await pipelines.prepare([{ label: "a", code: CODE }, { label: "b", code: CODE }]);
  assertEquals(pipelines.size, 1);
  assertEquals(
    pipelines.get({ label: "b", code: CODE }),
    pipelines.get({ label: "a", code: CODE }),
  );
  assertThrows(
    () => pipelines.get({ label: "c", code: CODE + " " }),
    RangeError,
    "Cannot run kernel c",
  );
  gpu.close();
});

Deno.test("PipelineCache names the kernel that does not compile", async () => {
  const gpu = await openGpu();
  const pipelines = new PipelineCache(gpu.device);
  const wrong = { label: "wrong", code: CODE.replace("1f", "y") };
  await assertRejects(() => pipelines.prepare([wrong]), Error, "Cannot compile kernel wrong");
  assertEquals(pipelines.size, 0);
  gpu.close();
});
