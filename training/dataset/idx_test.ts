import { assertEquals, assertThrows } from "@std/assert";
import { parseIdx } from "./idx.ts";

/** Two images of 2 × 3. */
const valid = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, ...Array(12).keys()];
const parse = (bytes: number[], rank = 3) => parseIdx(Uint8Array.from(bytes), "f", rank);

Deno.test("parseIdx() reads dimensions and values", () => {
  const { dimensions, data } = parse(valid);
  assertEquals(dimensions, [2, 2, 3]);
  assertEquals([...data], [...Array(12).keys()]);
  assertEquals(parse([0, 0, 8, 1, 0, 0, 1, 0, ...Array(256).fill(7)], 1).dimensions, [256]);
});

Deno.test("parseIdx() reads a view that does not begin at its buffer's start", () => {
  const buffer = Uint8Array.from([9, 9, 9, ...valid]);
  assertEquals(parseIdx(buffer.subarray(3), "f", 3).dimensions, [2, 2, 3]);
});

Deno.test("parseIdx() names what is wrong with a file", () => {
  const changed = (at: number, value: number) => valid.map((byte, i) => i === at ? value : byte);
  const cases: [number[], string][] = [
    [[], "0 bytes are no header"],
    [changed(0, 31), "two zero bytes"],
    [changed(2, 0x0d), "type 0x0d"],
    [changed(3, 1), "1 dimensions (expected 3)"],
    [valid.slice(0, 11), "header ends after 11 of 16"],
    [valid.slice(0, -1), "truncated: 11 values (expected 2 × 2 × 3 = 12)"],
    [[...valid, 0], "left over: 13 values"],
    [changed(4, 255), "truncated"],
  ];
  for (const [bytes, message] of cases) assertThrows(() => parse(bytes), SyntaxError, message);
});
