/**
 * Buffers that a kernel reads as images. Mesa's software driver turns a vec4 load from a storage
 * buffer into a loop over lanes and components, and one from a storage image into a load a lane:
 * 110 and 14 ns for 16 lanes, 32 and 6 ns for 8 (llvmpipe 22.3.6 on a Xeon with AVX-512, 2026-11-24).
 * @module
 */

/** Texels of a row: a power of two, so that a flat index splits without a division. */
export const IMAGE_WIDTH = 4096;
/** Of a texel, four float32. */
const TEXEL_BYTES = 16;
const ROW_BYTES = IMAGE_WIDTH * TEXEL_BYTES;

/** A range of a buffer that is copied into an image before a dispatch reads it there. */
export interface ImageCopy {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
  readonly texture: GPUTexture;
}

/**
 * Images that dispatches share, one a binding and power of two of rows: each dispatch fills its own
 * anew.
 */
export class ScratchImages {
  readonly #device: GPUDevice;
  readonly #textures = new Map<string, GPUTexture>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /**
   * @param binding two operands of one dispatch never share an image
   * @throws {RangeError} where the range is not made of whole texels.
   */
  copyOf(binding: number, range: Omit<ImageCopy, "texture">): ImageCopy {
    const { offset, size } = range;
    if (offset % TEXEL_BYTES !== 0 || size % TEXEL_BYTES !== 0) {
      throw new RangeError(
        `Cannot read ${size} bytes at ${offset} as an image (expected multiples of ${TEXEL_BYTES})`,
      );
    }
    const rows = 2 ** Math.ceil(Math.log2(Math.max(1, size / ROW_BYTES)));
    const key = `${binding} ${rows}`;
    let texture = this.#textures.get(key);
    if (!texture) {
      texture = this.#device.createTexture({
        label: `operand ${key}`,
        size: [IMAGE_WIDTH, rows],
        format: "rgba32float",
        usage: GPUTextureUsage.STORAGE_BINDING | GPUTextureUsage.COPY_DST,
      });
      this.#textures.set(key, texture);
    }
    return { ...range, texture };
  }

  close(): void {
    for (const texture of this.#textures.values()) texture.destroy();
    this.#textures.clear();
  }
}

/** Whole rows, then the texels that are left. */
export function encodeImageCopy(
  encoder: GPUCommandEncoder,
  { buffer, offset, size, texture }: ImageCopy,
): void {
  const rows = Math.floor(size / ROW_BYTES);
  const rest = (size - rows * ROW_BYTES) / TEXEL_BYTES;
  if (rows > 0) {
    encoder.copyBufferToTexture({ buffer, offset, bytesPerRow: ROW_BYTES }, { texture }, [
      IMAGE_WIDTH,
      rows,
    ]);
  }
  if (rest > 0) {
    encoder.copyBufferToTexture(
      { buffer, offset: offset + rows * ROW_BYTES },
      { texture, origin: [0, rows] },
      [rest, 1],
    );
  }
}
