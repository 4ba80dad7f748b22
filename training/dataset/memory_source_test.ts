import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { MemorySource, sharedBytes } from "./memory_source.ts";
import { openRecordSource } from "./open_record_source.ts";
import { readRecord } from "./record_source.ts";

Deno.test("MemorySource.readInto() copies one record to its place", () => {
  const source = new MemorySource(Uint8Array.of(1, 2, 3, 4, 5, 6), Uint32Array.of(7, 8, 9));
  assertEquals([source.count, source.recordBytes], [3, 2]);
  const out = new Uint8Array(5);
  source.readInto(2, out, 1);
  assertEquals([...out], [0, 5, 6, 0, 0]);
  assertEquals([...readRecord(source, 0)], [1, 2]);
});

Deno.test("openRecordSource() opens the same memory from a description that was sent", () => {
  const records = sharedBytes(4);
  const source = new MemorySource(records, Uint32Array.of(0, 1));
  const opened = openRecordSource(source.description);
  records[3] = 9;
  assertEquals([...readRecord(opened, 1)], [0, 9]);
  assert(opened.description.kind === "memory");
  assertStrictEquals(opened.description.records, records);
});

Deno.test("MemorySource takes an empty split and rejects partial records", () => {
  const empty = new MemorySource(new Uint8Array(0), new Uint32Array(0));
  assertEquals([empty.count, empty.recordBytes], [0, 0]);
  for (const [bytes, count] of [[5, 2], [3, 0]] as const) {
    assertThrows(
      () => new MemorySource(new Uint8Array(bytes), new Uint32Array(count)),
      RangeError,
      `${bytes} bytes do not divide`,
    );
  }
});
