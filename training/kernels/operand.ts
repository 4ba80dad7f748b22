/**
 * The operands of products, four numbers at a time: a software driver reads them from images
 * (see `gpu/images.ts`), a card from storage buffers.
 * @module
 */
import type { KernelFamily } from "../gpu/device.ts";
import { IMAGE_WIDTH } from "../gpu/images.ts";
import type { Binding } from "../gpu/kernel.ts";

/** WGSL: the binding, and `read_NAME(at: u32) -> vec4f`, numbers 4 at to 4 at + 3 of it. */
export function operandText(family: KernelFamily, binding: number, name: string): string {
  const [type, load] = family === "software"
    ? [
      `var ${name}: texture_storage_2d<rgba32float, read>`,
      `textureLoad(${name}, vec2u(at % ${IMAGE_WIDTH}u, at / ${IMAGE_WIDTH}u))`,
    ]
    : [`var<storage, read> ${name}: array<vec4f>`, `${name}[at]`];
  return `
@group(0) @binding(${binding}) ${type};

fn read_${name}(at: u32) -> vec4f {
  return ${load};
}
`;
}

/** The binding that such a text reads, `bytes` of a buffer. */
export function operandBinding<Ref>(
  family: KernelFamily,
  buffer: Ref,
  { offset = 0, bytes }: { readonly offset?: number; readonly bytes: number },
): Binding<Ref> {
  return { buffer, offset, size: bytes, ...(family === "software" ? { image: true } : {}) };
}
