import { assert, assertEquals, assertThrows } from "@std/assert";
import { flatWorkgroups, specialize } from "./kernel.ts";

const TEXT = `const ROWS = 0u;
const ROWS_PER_PART = 1u;
const PAD = 0;
const SCALE = 1f;
const RELU = false;
fn f() { let ROWS_2 = ROWS; }`;

Deno.test("specialize() rewrites constants and keeps their types", () => {
  const code = specialize(TEXT, { ROWS: 12, PAD: -3, SCALE: 1e-7, RELU: true });
  assertEquals(
    code,
    `const ROWS = 12u;
const ROWS_PER_PART = 1u;
const PAD = -3;
const SCALE = 1e-7f;
const RELU = true;
fn f() { let ROWS_2 = ROWS; }`,
  );
  assertEquals(specialize(code, { ROWS: 0, PAD: 0, SCALE: 1, RELU: false }), TEXT);
  assertEquals(specialize(TEXT, {}), TEXT);
});

Deno.test("specialize() throws on a name that is not there once", () => {
  assertThrows(
    () => specialize(TEXT, { COLUMNS: 1 }),
    RangeError,
    "const COLUMNS is there 0 times",
  );
  assertThrows(() => specialize(TEXT, { ROWS_2: 1 }), RangeError, "0 times");
  assertThrows(() => specialize(TEXT + "\nconst PAD = 1;", { PAD: 1 }), RangeError, "2 times");
});

Deno.test("specialize() throws on a number that the type cannot hold", () => {
  assertThrows(() => specialize(TEXT, { ROWS: -1 }), RangeError, "Cannot write -1");
  assertThrows(() => specialize(TEXT, { ROWS: 1.5 }), RangeError, "Cannot write 1.5");
  assertThrows(() => specialize(TEXT, { PAD: 0.5 }), RangeError, "Cannot write 0.5");
  assertThrows(() => specialize(TEXT, { SCALE: NaN }), RangeError, "Cannot write NaN");
  assertThrows(() => specialize(TEXT, { SCALE: Infinity }), RangeError, "Cannot write Infinity");
});

Deno.test("flatWorkgroups() covers every item within the limit", () => {
  for (const count of [1, 63, 64, 65, 640, 641, 6399, 6400]) {
    const [x, y, z] = flatWorkgroups(count, 64, 10);
    assert(x <= 10 && y <= 10, `${count}: ${x} x ${y}`);
    assertEquals(z, 1);
    assert(x * y * 64 >= count, `${count} does not fit ${x} x ${y} groups`);
    assert((x - 1) * y * 64 < count, `${count}: a column of ${x} x ${y} has nothing to do`);
    if (count <= 640) assertEquals(y, 1);
  }
});
