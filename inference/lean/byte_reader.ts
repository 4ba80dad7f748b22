import { unreadable } from "../../shared/onnx/read.ts";

/**
 * Bytes of a stream, taken one piece after another. Waits only where the chunk at hand is used up.
 */
export class ByteReader {
  /** Bytes taken so far. */
  position = 0;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array();
  #at = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Lets go of the stream, which may not be at its end. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  /** True when nothing is left. */
  async atEnd(): Promise<boolean> {
    while (this.#at === this.#chunk.length) {
      const { done, value } = await this.#chunks.next();
      if (done) return true;
      this.#chunk = value;
      this.#at = 0;
    }
    return false;
  }

  /**
   * A number of protobuf: seven bits a byte, the lowest first ("Base 128 Varints" of its encoding).
   *
   * @throws {SyntaxError} when it does not end or is no safe integer.
   */
  async varint(): Promise<number> {
    let value = 0;
    for (let scale = 1; scale <= Number.MAX_SAFE_INTEGER; scale *= 128) {
      if (this.#at === this.#chunk.length && await this.atEnd()) throw truncated();
      const byte = this.#chunk[this.#at++]!;
      this.position++;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw unreadable("a length has too many digits (not an ONNX model)");
  }

  /** The next `count` bytes: a view of the chunk where they lie in one, joined otherwise. */
  async bytes(count: number): Promise<Uint8Array> {
    if (this.#chunk.length - this.#at >= count) return this.#take(count);
    const joined = new Uint8Array(count);
    let filled = 0;
    await this.pass(count, (part) => {
      joined.set(part, filled);
      filled += part.length;
    });
    return joined;
  }

  /** Hands the next `count` bytes on in the pieces that they arrive in. */
  async pass(count: number, sink: (part: Uint8Array) => void): Promise<void> {
    let left = count;
    while (left > 0) {
      if (this.#at === this.#chunk.length && await this.atEnd()) throw truncated();
      const part = this.#take(Math.min(left, this.#chunk.length - this.#at));
      left -= part.length;
      sink(part);
    }
  }

  #take(count: number): Uint8Array {
    const part = this.#chunk.subarray(this.#at, this.#at + count);
    this.#at += count;
    this.position += count;
    return part;
  }
}

function truncated(): SyntaxError {
  return unreadable("it ends too early (truncated, or not an ONNX model)");
}
