// Another device of this process takes all memory but for a little, then an engine is asked for that
// takes more. Prints what a user of topfive train would read. Run where the process may not take all
// memory.
import { MemoryAdvice, withMemory } from "../../training/commands/train_failure.ts";
import { openGpu } from "../../training/gpu/device.ts";
import { allocating, OutOfGpuMemoryError } from "../../training/gpu/memory.ts";
import { Engine } from "../../training/graph/engine.ts";
import { MODELS } from "../../training/models/models.ts";

const BATCH = 1024;
const SIDE = 72;
const RECORD_BYTES = SIDE * SIDE * 3;
const PIECE_BYTES = 2 ** 26;
const LEFT_FREE = 2 ** 28;

const [gpu, other] = [await openGpu(), await openGpu()];
const graph = MODELS["alexnet-small"].build(1000);
const ballast: GPUBuffer[] = [];
for (let isFull = false; !isFull;) {
  try {
    ballast.push(
      await allocating(
        other.device,
        () => other.device.createBuffer({ size: PIECE_BYTES, usage: GPUBufferUsage.STORAGE }),
      ),
    );
  } catch (error) {
    if (!(error instanceof OutOfGpuMemoryError)) throw error;
    isFull = true;
  }
}
for (const buffer of ballast.splice(0, LEFT_FREE / PIECE_BYTES)) buffer.destroy();

try {
  await Engine.create(gpu, graph, {
    batch: BATCH,
    preprocess: { side: SIDE, crop: 64, channels: 3, mean: [0, 0, 0], std: [1, 1, 1] },
    momentum: 0.9,
    decay: 0.0005,
  });
} catch (error) {
  const advice = new MemoryAdvice({
    ...{ graph, gpu, precision: "f32", partSize: BATCH, recordBytes: RECORD_BYTES },
    // The driver compiles in the memory of this process, and dies where there is none.
    tryParts: () => Promise.resolve(),
  });
  console.log((await withMemory(error, advice)).message);
}
other.close();
