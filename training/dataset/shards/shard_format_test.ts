import { assertEquals, assertThrows } from "@std/assert";
import { encodeShardHeader, readShardHeader, recordsOffsetFor } from "./shard_format.ts";

const header = {
  side: 2,
  channels: 3 as const,
  labels: Uint32Array.of(7, 0, 999),
  recordsOffset: 4096,
};
const whole = () => {
  const bytes = new Uint8Array(4096 + 3 * 12);
  bytes.set(encodeShardHeader(header));
  return bytes;
};

function read(bytes: Uint8Array) {
  const path = Deno.makeTempFileSync();
  try {
    Deno.writeFileSync(path, bytes);
    using file = Deno.openSync(path);
    return readShardHeader(file, "x.shard");
  } finally {
    Deno.removeSync(path);
  }
}

Deno.test("readShardHeader() gives what encodeShardHeader() was given", () => {
  assertEquals(read(whole()), header);
});

Deno.test("encodeShardHeader() writes the layout that its module describes", () => {
  const bytes = encodeShardHeader(header);
  assertEquals(new TextDecoder().decode(bytes.subarray(0, 8)), "TOPFIVE\n");
  assertEquals(
    [...bytes.subarray(8, 28)],
    [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0, 0, 16, 0, 0],
  );
  assertEquals([...bytes.subarray(64, 76)], [7, 0, 0, 0, 0, 0, 0, 0, 0xe7, 3, 0, 0]);
});

Deno.test("recordsOffsetFor() leaves room for the labels and is a multiple of a page", () => {
  assertEquals([0, 1008, 1009].map(recordsOffsetFor), [4096, 4096, 8192]);
});

Deno.test("readShardHeader() refuses what is cut off, too long, foreign, or of another version", () => {
  const altered = (at: number, value: number) => {
    const bytes = whole();
    bytes[at] = value;
    return bytes;
  };
  const cases: [Uint8Array, string][] = [
    [whole().subarray(0, 40), "it ends in its header"],
    [whole().subarray(0, 4100), "it has 4100 bytes (expected 4132)"],
    [new Uint8Array([...whole(), 0]), "it has 4133 bytes"],
    [altered(0, 0), "does not begin as a shard"],
    [altered(8, 2), "version 2 (expected 1)"],
    [altered(16, 4), "4 channels"],
    [altered(25, 0), "labels overlap"],
  ];
  for (const [bytes, message] of cases) assertThrows(() => read(bytes), SyntaxError, message);
});
