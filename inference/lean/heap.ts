const PAGE = 65_536;
const ALIGNMENT = 64;

/**
 * The one WebAssembly memory of a session. Space is taken from its end: first weights, for good, then
 * tables and activations, for as long as a batch size lasts.
 */
export class Heap {
  readonly memory: WebAssembly.Memory;
  #end: number;

  /**
   * @param reserved bytes at the start that are not to be touched
   * @param shared whether threads are to compute in it
   * @throws {Error} where the engine has no memory that threads share.
   */
  constructor(reserved: number, shared: boolean) {
    const initial = Math.ceil(reserved / PAGE);
    this.memory = new WebAssembly.Memory({ initial, maximum: PAGE, shared });
    this.#end = reserved;
  }

  /** The address of `bytes`, at a multiple of 64. What was released before is not zeros. */
  take(bytes: number): number {
    const at = Math.ceil(this.#end / ALIGNMENT) * ALIGNMENT;
    this.#end = at + bytes;
    this.reach(this.#end);
    return at;
  }

  /** Where the next `take()` would begin. */
  get end(): number {
    return Math.ceil(this.#end / ALIGNMENT) * ALIGNMENT;
  }

  /** Gives back all that was taken behind `mark`, an earlier `end`. */
  release(mark: number): void {
    this.#end = mark;
  }

  /** Grows the memory to hold `bytes`; what lies behind `end` is scratch space of the caller. */
  reach(bytes: number): void {
    const pages = Math.ceil((bytes - this.memory.buffer.byteLength) / PAGE);
    if (pages > 0) this.memory.grow(pages);
  }

  /** Bytes held, the activations included. */
  get byteLength(): number {
    return this.memory.buffer.byteLength;
  }

  /** Views of the memory: each is void after the next growth. */
  bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, at, length);
  }

  floats(at: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, at, length);
  }

  integers(at: number, length: number): Int32Array {
    return new Int32Array(this.memory.buffer, at, length);
  }

  doubles(at: number, length: number): Float64Array {
    return new Float64Array(this.memory.buffer, at, length);
  }

  /** Takes space for numbers and writes them there. */
  keepFloats(values: Float32Array): number {
    const at = this.take(values.byteLength);
    this.floats(at, values.length).set(values);
    return at;
  }

  keepIntegers(values: Int32Array): number {
    const at = this.take(values.byteLength);
    this.integers(at, values.length).set(values);
    return at;
  }
}
