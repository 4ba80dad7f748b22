import { readFloats, readMapped } from "../gpu/buffers.ts";
import { type ParameterArena, unpackArena } from "./parameters.ts";

/** Bytes of an arena that is read at once: a read costs some 12 ms, however little it brings. */
const READ_WHOLE = 16 * 2 ** 20;

/**
 * Every tensor of an arena, in ONNX's layout and the arena's order. A large arena is read tensor by
 * tensor: there is no second copy of the whole.
 */
export async function* readArena(
  device: GPUDevice,
  arena: ParameterArena,
  buffer: GPUBuffer,
): AsyncGenerator<Float32Array<ArrayBuffer>> {
  if (arena.bytes <= READ_WHOLE) {
    yield* unpackArena(arena, await readFloats(device, buffer)).values();
    return;
  }
  for (const { spec, offset, size } of arena.slots) {
    const unpack = (bytes: ArrayBuffer) => spec.unpack(new Float32Array(bytes));
    yield await readMapped(device, buffer, { offset, size }, unpack);
  }
}
