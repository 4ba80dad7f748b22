import { assert, assertEquals } from "@std/assert";
import { Random } from "../random.ts";
import { type Lifetime, planMemory } from "./memory_plan.ts";

function randomLifetimes(random: Random): Lifetime[] {
  return Array.from({ length: 1 + random.below(40) }, () => {
    const from = random.below(30);
    return { bytes: 1 + random.below(1000), from, to: from + random.below(12) };
  });
}

Deno.test("planMemory() gives no slot to two that live at the same time", () => {
  const random = new Random(1);
  for (let round = 0; round < 300; round++) {
    const lifetimes = randomLifetimes(random);
    const { slotOf, slots } = planMemory(lifetimes);
    lifetimes.forEach((a, i) => {
      assert(a.bytes <= slots[slotOf[i]!]!, "a slot is smaller than its tenant");
      lifetimes.slice(0, i).forEach((b, j) => {
        const together = a.from <= b.to && b.from <= a.to;
        assert(!together || slotOf[i] !== slotOf[j], `${j} and ${i} share a slot`);
      });
    });
    const largest = slots.map((_, slot) =>
      Math.max(...lifetimes.filter((_, i) => slotOf[i] === slot).map(({ bytes }) => bytes))
    );
    assertEquals(slots, largest);
  }
});

Deno.test("planMemory() shares between tensors of different times", () => {
  const { slotOf, slots } = planMemory([
    { bytes: 100, from: 0, to: 1 },
    { bytes: 80, from: 1, to: 2 },
    { bytes: 60, from: 2, to: 3 },
    { bytes: 50, from: 3, to: 4 },
  ]);
  assertEquals(slotOf, [0, 1, 0, 1]);
  assertEquals(slots, [100, 80]);
});

Deno.test("planMemory() of nothing is nothing", () => {
  assertEquals(planMemory([]), { slotOf: [], slots: [] });
});
