import { assertEquals, assertThrows } from "@std/assert";
import { openGpu } from "./device.ts";
import { IMAGE_WIDTH, ScratchImages } from "./images.ts";
import { runDispatches } from "./run_dispatches.ts";

const gpu = await openGpu();

/** Writes texel i of the image to number 4 i of the output. */
const KERNEL = {
  label: "image to buffer",
  code: `
@group(0) @binding(0) var image: texture_storage_2d<rgba32float, read>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < arrayLength(&output)) {
    output[id.x] = textureLoad(image, vec2u(id.x % ${IMAGE_WIDTH}u, id.x / ${IMAGE_WIDTH}u));
  }
}
`,
};

for (const texels of [1, 15, IMAGE_WIDTH, 3 * IMAGE_WIDTH + 7]) {
  Deno.test(`a dispatch reads a range of ${texels} texels as an image`, async () => {
    const skipped = 64;
    const from = Float32Array.from({ length: skipped + 4 * texels }, (_, i) => i % 65_521);
    const { to } = await runDispatches<"from" | "to">(gpu, [{
      kernel: KERNEL,
      bindings: [{ buffer: "from", offset: 4 * skipped, size: 16 * texels, image: true }, {
        buffer: "to",
      }],
      workgroups: [Math.ceil(texels / 64), 1, 1],
    }], { from, to: new Float32Array(4 * texels) });
    assertEquals(to, from.subarray(skipped));
  });
}

Deno.test("ScratchImages.copyOf() shares an image by binding and rows, and refuses part of a texel", () => {
  const images = new ScratchImages(gpu.device);
  const buffer = gpu.device.createBuffer({ size: 2 ** 20, usage: GPUBufferUsage.COPY_SRC });
  const textureOf = (binding: number, size: number) =>
    images.copyOf(binding, { buffer, offset: 0, size }).texture;
  assertEquals(textureOf(0, 16), textureOf(0, 65_536));
  assertEquals(textureOf(0, 16) === textureOf(1, 16), false);
  assertEquals(textureOf(0, 65_552).height, 2);
  assertThrows(() => textureOf(0, 24), RangeError, "multiples of 16");
  images.close();
  buffer.destroy();
});
