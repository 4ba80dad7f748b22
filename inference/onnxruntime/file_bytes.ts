/**
 * The bytes of a file, read where they are asked for. ONNX Runtime asks external data for their
 * `byteLength` and for one `subarray` a tensor, and for nothing else (1.30.0), so that the largest
 * tensor and not the file decides how much is held.
 */
export class FileBytes extends Uint8Array<ArrayBuffer> implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #byteLength: number;

  constructor(path: string) {
    super(new ArrayBuffer(0));
    this.#file = Deno.openSync(path);
    this.#byteLength = this.#file.statSync().size;
  }

  override get byteLength(): number {
    return this.#byteLength;
  }

  override get length(): number {
    return this.#byteLength;
  }

  /** @throws {RangeError} where the file ends before. */
  override subarray(begin = 0, end = this.#byteLength): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(Math.max(0, end - begin));
    this.#file.seekSync(begin, Deno.SeekMode.Start);
    for (let done = 0; done < bytes.length;) {
      const read = this.#file.readSync(bytes.subarray(done));
      if (read === null) throw new RangeError("Cannot read weights: the file became shorter");
      done += read;
    }
    return bytes;
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}
