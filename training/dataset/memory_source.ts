import type { MemoryDescription, RecordSource } from "./record_source.ts";

/** Memory that Workers read without a copy. */
export function sharedBytes(length: number): Uint8Array<SharedArrayBuffer> {
  return new Uint8Array(new SharedArrayBuffer(length));
}

/** A split that is in memory. */
export class MemorySource implements RecordSource {
  readonly description: MemoryDescription;

  /**
   * @param records [labels, bytes of a record]; see {@linkcode sharedBytes} for large ones
   * @throws {RangeError} the records do not divide by the labels
   */
  constructor(records: Uint8Array, labels: Uint32Array) {
    const recordBytes = labels.length === 0 ? 0 : records.length / labels.length;
    if (!Number.isInteger(recordBytes) || (labels.length === 0 && records.length > 0)) {
      throw new RangeError(
        `Cannot read records: ${records.length} bytes do not divide into ${labels.length} records`,
      );
    }
    this.description = { kind: "memory", recordBytes, records, labels };
  }

  get count(): number {
    return this.description.labels.length;
  }

  get recordBytes(): number {
    return this.description.recordBytes;
  }

  get labels(): Uint32Array {
    return this.description.labels;
  }

  readInto(index: number, out: Uint8Array, offset: number): void {
    const { records, recordBytes } = this.description;
    out.set(records.subarray(index * recordBytes, (index + 1) * recordBytes), offset);
  }
}
