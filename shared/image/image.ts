/** Decoded pixels: row-major, channels interleaved, 8 bits a sample, no padding between rows. */
export interface Image {
  readonly width: number;
  readonly height: number;
  /** 3 is RGB, 1 is luma. */
  readonly channels: 1 | 3;
  /** height * width * channels samples. */
  readonly data: Uint8Array;
}

/** Default pixel limit: 8192 x 6144, the 50-megapixel sensors of phones. */
export const DEFAULT_MAX_PIXELS = 8192 * 6144;

/** The formats that are decoded. */
export type ImageFormat = "jpeg" | "png" | "gif" | "bmp" | "webp" | "tiff";

/** What the header says, before any pixel is decoded and before the orientation is applied. */
export interface ImageHeader {
  readonly format: ImageFormat;
  /** Stored width in pixels; orientations 5 to 8 swap width and height when applied. */
  readonly width: number;
  /** Stored height in pixels. */
  readonly height: number;
  /** EXIF orientation 1 to 8; 1 when there is none or it cannot be read. */
  readonly orientation: number;
}

/**
 * Why bytes did not become an image: `unsupported` is a format (or a variety of one) that is not
 * read here, `corrupt` is a file that breaks its own format, `too-large` is over the pixel limit.
 */
export type ImageErrorCode = "unsupported" | "corrupt" | "too-large";

/** Thrown for bytes that cannot be read as an image; never for a bug of the caller. */
export class ImageError extends Error {
  override readonly name = "ImageError";
  readonly code: ImageErrorCode;

  constructor(code: ImageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
