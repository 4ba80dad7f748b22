import type { RecordSource } from "./record_source.ts";

/** One batch; how long its arrays stay as they are is said where it comes from. */
export interface Batch {
  /** [batchSize, bytes of a record] */
  records: Uint8Array<ArrayBuffer>;
  /** [batchSize] */
  labels: Uint32Array<ArrayBuffer>;
  /** [batchSize], place of each image in the split */
  indices: Uint32Array<ArrayBuffer>;
}

export function emptyBatch(batchSize: number, recordBytes: number): Batch {
  return {
    records: new Uint8Array(batchSize * recordBytes),
    labels: new Uint32Array(batchSize),
    indices: new Uint32Array(batchSize),
  };
}

/** Reads the records and labels that the batch's indices name. */
export function fillBatch({ records, labels, indices }: Batch, source: RecordSource): void {
  indices.forEach((index, i) => {
    labels[i] = source.labels[index]!;
    source.readInto(index, records, i * source.recordBytes);
  });
}
