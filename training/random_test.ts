import { assert, assertEquals, assertThrows } from "@std/assert";
import { philox4x32, Random, shuffle } from "./random.ts";

const hex = (words: Uint32Array) => [...words].map((word) => word.toString(16).padStart(8, "0"));

Deno.test("philox4x32() gives the known answers of Random123", () => {
  // kat_vectors of the Random123 distribution, "philox4x32 10".
  const known: [number[], number[], string][] = [
    [[0, 0, 0, 0], [0, 0], "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      "408f276d 41c83b0e a20bc7c6 6d5451fd",
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      "d16cfe09 94fdcceb 5001e420 24126ea1",
    ],
  ];
  for (const [counter, key, expected] of known) {
    assertEquals(hex(philox4x32(counter, key)).join(" "), expected);
  }
});

Deno.test("Random is a function of seed, stream and position", () => {
  const draw = (seed: number, stream: number, from = 0) => {
    const random = new Random(seed, stream);
    random.position = from;
    return Array.from({ length: 9 }, () => random.uint32());
  };
  assertEquals(draw(7, 3), draw(7, 3));
  for (const from of [1, 2, 3, 4, 7]) {
    assertEquals(draw(7, 3, from).slice(0, 9 - from), draw(7, 3).slice(from));
  }
  const firsts = [draw(7, 3), draw(8, 3), draw(7, 4), draw(7 + 2 ** 32, 3), draw(7, 3 + 2 ** 32)]
    .map((words) => words.join());
  assertEquals(new Set(firsts).size, firsts.length);
  assertEquals(
    hex(Uint32Array.from(draw(0, 0).slice(0, 4))).join(" "),
    "6627e8d5 e169c58d bc57ac4c 9b00dbd8",
  );
});

Deno.test("Random rejects seeds that would be rounded", () => {
  for (const seed of [-1, 0.5, NaN, 2 ** 53]) assertThrows(() => new Random(seed), RangeError);
  assertThrows(() => new Random(1, -1), RangeError);
});

Deno.test("Random.float() and normal() have the right moments", () => {
  const random = new Random(1);
  const count = 100_000;
  let sum = 0, squares = 0, uniform = 0, lowest = 1, highest = 0;
  for (let i = 0; i < count; i++) {
    const value = random.normal();
    sum += value;
    squares += value * value;
    const flat = random.float();
    uniform += flat;
    lowest = Math.min(lowest, flat);
    highest = Math.max(highest, flat);
  }
  // Five standard errors: 1/sqrt(n), sqrt(2/n), sqrt(1/12n).
  assert(Math.abs(sum / count) < 0.016, `mean ${sum / count}`);
  assert(Math.abs(squares / count - 1) < 0.023, `variance ${squares / count}`);
  assert(Math.abs(uniform / count - 0.5) < 0.0046, `uniform mean ${uniform / count}`);
  assert(lowest >= 0 && lowest < 0.001 && highest < 1 && highest > 0.999);
});

Deno.test("shuffle() gives each of the 24 orders of four equally often", () => {
  const random = new Random(5);
  const seen = new Map<string, number>();
  const trials = 24_000;
  for (let trial = 0; trial < trials; trial++) {
    const order = shuffle([0, 1, 2, 3], random).join("");
    seen.set(order, (seen.get(order) ?? 0) + 1);
  }
  assertEquals(seen.size, 24);
  let chiSquare = 0;
  for (const times of seen.values()) chiSquare += (times - 1000) ** 2 / 1000;
  // 23 degrees of freedom: above 49.7 once in a thousand seeds.
  assert(chiSquare < 49.7, `chi-square ${chiSquare}`);
});
