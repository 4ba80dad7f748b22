// Fills the device's memory but for what 16 images of AlexNet take, then asks for an engine of 64.
// Prints what a user of topfive train would read. Run where the process may not take all memory.
import { MemoryAdvice, withMemory } from "../../training/commands/train_failure.ts";
import { openGpu } from "../../training/gpu/device.ts";
import { allocating, OutOfGpuMemoryError } from "../../training/gpu/memory.ts";
import { Engine } from "../../training/graph/engine.ts";
import { memoryUse } from "../../training/graph/memory_use.ts";
import { MODELS } from "../../training/models/models.ts";

const [BATCH, FIT] = [64, 16];
const RECORD_BYTES = 256 * 256 * 3;
const PIECE_BYTES = 2 ** 24;

const gpu = await openGpu();
const graph = MODELS.alexnet.build(1000);
const enough = memoryUse(graph, FIT, { target: gpu, recordBytes: RECORD_BYTES }).total;

const ballast: GPUBuffer[] = [];
for (let isFull = false; !isFull;) {
  try {
    ballast.push(
      await allocating(
        gpu.device,
        () => gpu.device.createBuffer({ size: PIECE_BYTES, usage: GPUBufferUsage.STORAGE }),
      ),
    );
  } catch (error) {
    if (!(error instanceof OutOfGpuMemoryError)) throw error;
    isFull = true;
  }
}
for (const buffer of ballast.splice(0, Math.ceil(enough / PIECE_BYTES) + 2)) buffer.destroy();

try {
  await Engine.create(gpu, graph, {
    batch: BATCH,
    preprocess: { side: 256, crop: 224, channels: 3, mean: [0, 0, 0], std: [1, 1, 1] },
    momentum: 0.9,
    decay: 0.0005,
  });
  console.log("the engine was made");
} catch (error) {
  const advice = new MemoryAdvice({
    ...{ graph, gpu, precision: "f32", partSize: BATCH, recordBytes: RECORD_BYTES },
  });
  console.log((await withMemory(error, advice)).message);
}
// The device goes on.
gpu.check();
gpu.close();
