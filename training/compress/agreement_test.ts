import { assertEquals } from "@std/assert";
import { agreementOf } from "./agreement.ts";

Deno.test("agreementOf() counts equal first answers, those kept among five, and what five share", () => {
  const original = Float32Array.of(7, 6, 5, 4, 3, 2, 1, 7, 6, 5, 4, 3, 2, 1);
  const swapped = Float32Array.of(6, 7, 5, 4, 3, 2, 1, 1, 6, 5, 4, 3, 2, 7);
  assertEquals(agreementOf(original, original, 7), { images: 2, top1: 1, top5: 1, fiveShared: 1 });
  // First image: the first two swapped. Second: the first became the last, the last the first.
  assertEquals(agreementOf(original, swapped, 7), {
    images: 2,
    top1: 0,
    top5: 0.5,
    fiveShared: 0.9,
  });
});
