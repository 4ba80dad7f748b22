/**
 * The operands of products, four numbers at a time: a software driver reads them from images
 * (see `gpu/images.ts`, whose numbers are float32), a card and float16 from storage buffers.
 * @module
 */
import type { KernelFamily } from "../gpu/device.ts";
import { IMAGE_WIDTH } from "../gpu/images.ts";
import type { Binding } from "../gpu/kernel.ts";
import { bytesOf, type Precision } from "../gpu/precision.ts";

interface OperandTarget {
  readonly family: KernelFamily;
  readonly precision?: Precision;
}

function inImages({ family, precision }: OperandTarget): boolean {
  return family === "software" && precision !== "f16";
}

/** WGSL: the binding, and `read_NAME(at: u32) -> vec4f`, numbers 4 at to 4 at + 3 of it. */
export function operandText(target: OperandTarget, binding: number, name: string): string {
  const [type, load] = inImages(target)
    ? [
      `var ${name}: texture_storage_2d<rgba32float, read>`,
      `textureLoad(${name}, vec2u(at % ${IMAGE_WIDTH}u, at / ${IMAGE_WIDTH}u))`,
    ]
    : [`var<storage, read> ${name}: array<Stored4>`, `vec4f(${name}[at])`];
  return `
@group(0) @binding(${binding}) ${type};

fn read_${name}(at: u32) -> vec4f {
  return ${load};
}
`;
}

/** The binding that such a text reads: `count` numbers of a buffer. */
export function operandBinding<Ref>(
  target: OperandTarget,
  buffer: Ref,
  { first = 0, count }: { readonly first?: number; readonly count: number },
): Binding<Ref> {
  const bytes = bytesOf(target.precision);
  const range = { offset: bytes * first, size: bytes * count };
  return { buffer, ...range, ...(inImages(target) ? { image: true } : {}) };
}
