/** float32, or the 7-bit numbers that the int8 products read. */
export type Kind = "f32" | "i7";

/** Rows and columns around a map that are filled before it is read. */
export interface Border {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

/**
 * One tensor of the graph: [channels, height, width] of each image. In memory it is
 * [height][width][channels], the channels of a pixel rounded up to a multiple of four, with a border
 * as wide as the convolutions that read it ask for. A vector of numbers is a map of 1 x 1.
 */
export class Value {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly kind: Kind;
  /** A part of the channels of another tensor, which shares its memory. */
  #whole: { readonly value: Value; readonly firstChannel: number } | undefined;
  #border: Border = { top: 0, left: 0, bottom: 0, right: 0 };
  /** Bytes of a pixel where they are not those of the rounded channels. */
  #tight = false;
  /** Of 7-bit numbers: real = step * (stored - zero). */
  readonly quantization: { readonly step: number; readonly zero: number } | undefined;
  /** Known to hold no negative numbers. */
  readonly nonNegative: boolean;

  constructor(
    { channels, height, width }: { channels: number; height: number; width: number },
    more: {
      readonly quantization?: { readonly step: number; readonly zero: number } | undefined;
      readonly nonNegative?: boolean;
    } = {},
  ) {
    this.channels = channels;
    this.height = height;
    this.width = width;
    this.kind = more.quantization ? "i7" : "f32";
    this.quantization = more.quantization;
    this.nonNegative = more.nonNegative ?? false;
  }

  /** Bytes of one number. */
  get size(): number {
    return this.kind === "f32" ? 4 : 1;
  }

  /** Numbers of one image. */
  get length(): number {
    return this.channels * this.height * this.width;
  }

  /** The tensor that has memory of its own. */
  get root(): Value {
    return this.#whole ? this.#whole.value.root : this;
  }

  /** Bytes from a pixel of the root to the first number of this one. */
  get channelBytes(): number {
    return this.#whole ? this.#whole.value.channelBytes + this.#whole.firstChannel * this.size : 0;
  }

  /** Makes it a part of another tensor; possible once, and only before any memory is planned. */
  placeIn(value: Value, firstChannel: number): void {
    this.#whole = { value, firstChannel };
    value.root.widen(this.#border);
  }

  get isPart(): boolean {
    return this.#whole !== undefined;
  }

  /** A convolution reads this far beyond the map. */
  widen(border: Border): void {
    const root = this.root;
    if (root !== this) return root.widen(border);
    const { top, left, bottom, right } = this.#border;
    this.#border = {
      top: Math.max(top, border.top),
      left: Math.max(left, border.left),
      bottom: Math.max(bottom, border.bottom),
      right: Math.max(right, border.right),
    };
  }

  /** Leaves out the rounding of channels: for an input that convolutions alone read. */
  tighten(): void {
    this.#tight = true;
  }

  get pixelBytes(): number {
    const root = this.root;
    if (root !== this) return root.pixelBytes;
    return (this.#tight ? this.channels : Math.ceil(this.channels / 4) * 4) * this.size;
  }

  get rowBytes(): number {
    const { left, right } = this.root.#border;
    return (left + this.width + right) * this.pixelBytes;
  }

  get imageBytes(): number {
    const { top, bottom } = this.root.#border;
    return (top + this.height + bottom) * this.rowBytes;
  }

  /** Bytes from the start of an image's memory to its first number. */
  get originBytes(): number {
    const { top, left } = this.root.#border;
    return top * this.rowBytes + left * this.pixelBytes + this.channelBytes;
  }

  /** True where memory holds more than the numbers, so that it is to be filled before use. */
  get hasGaps(): boolean {
    const root = this.root;
    return root.imageBytes !== root.channels * root.height * root.width * root.size;
  }
}
