import { assertEquals } from "@std/assert";
import { formatBytes, parseByteSize } from "./byte_size.ts";

Deno.test("parseByteSize() knows powers of ten and of two, in any case", () => {
  assertEquals(parseByteSize("3GB"), 3e9);
  assertEquals(parseByteSize("1.5 gib"), 1.5 * 2 ** 30);
  assertEquals(parseByteSize("512 MB"), 512e6);
  assertEquals(parseByteSize("4096"), 4096);
  assertEquals(parseByteSize("4096B"), 4096);
  assertEquals(parseByteSize("1 KiB"), 1024);
});

Deno.test("parseByteSize() refuses what is no size", () => {
  for (
    const text of ["", "GB", "3 apples", "-3GB", "0", "0.1B", "1.2.3MB", "3iB", "1e3", "9999999TB"]
  ) {
    assertEquals(parseByteSize(text), undefined, text);
  }
});

Deno.test("formatBytes() is short", () => {
  assertEquals([3.04e9, 150_994_944, 236_202].map(formatBytes), ["3.0 GB", "151.0 MB", "236 kB"]);
});
