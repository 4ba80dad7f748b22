import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { EpochOrder, type OrderOptions, positionAfter } from "./epoch_order.ts";

const options = { count: 20, batchSize: 6, seed: 3 };

function take(order: EpochOrder, steps: number, batchSize = 6): number[][] {
  return Array.from({ length: steps }, () => {
    const indices = new Uint32Array(batchSize);
    order.next(indices);
    return [...indices];
  });
}

Deno.test("EpochOrder gives an image at most once an epoch and drops the incomplete batch", () => {
  const order = new EpochOrder(options);
  const orders: string[] = [];
  const dropped = new Set<number>();
  for (let epoch = 0; epoch < 12; epoch++) {
    assertEquals(order.position, { epoch, offset: 0 });
    const seen = take(order, 3).flat();
    assertEquals(new Set(seen).size, 18);
    for (let i = 0; i < 20; i++) if (!seen.includes(i)) dropped.add(i);
    orders.push(seen.join());
  }
  assertEquals(new Set(orders).size, 12, "two epochs had the same order");
  assert(dropped.size > 8, `always the same images are dropped: ${[...dropped]}`);
});

Deno.test("EpochOrder is a function of the seed", () => {
  const orderOf = (seed: number) => take(new EpochOrder({ ...options, seed }), 9);
  assertEquals(orderOf(1), orderOf(1));
  assertNotEquals(orderOf(1), orderOf(2));
});

Deno.test("EpochOrder goes on exactly from every position", () => {
  const whole = take(new EpochOrder(options), 11);
  const order = new EpochOrder(options);
  for (let step = 0; step < 10; step++) {
    const position = JSON.parse(JSON.stringify(order.position));
    const resumed = new EpochOrder({ ...options, position });
    assertEquals(take(resumed, 11 - step), whole.slice(step), `resumed at step ${step}`);
    take(order, 1);
  }
});

Deno.test("EpochOrder enters the next epoch where no whole batch is left", () => {
  const late = new EpochOrder({ ...options, position: { epoch: 2, offset: 15 } });
  assertEquals(late.position, { epoch: 3, offset: 0 });
  const atStart = new EpochOrder({ ...options, position: { epoch: 3, offset: 0 } });
  assertEquals(take(late, 2), take(atStart, 2));
});

Deno.test("positionAfter() is the position that the order itself has then", () => {
  const order = new EpochOrder(options);
  let position = order.position;
  for (let step = 0; step < 8; step++) {
    take(order, 1);
    position = positionAfter(options, position);
    assertEquals(position, order.position);
  }
});

Deno.test("EpochOrder rejects batch sizes and positions that cannot be", () => {
  const open = (changes: Partial<OrderOptions>) => () => new EpochOrder({ ...options, ...changes });
  for (const batchSize of [0, 21, 1.5, NaN]) {
    assertThrows(open({ batchSize }), RangeError, "Cannot make batches");
  }
  for (const [epoch, offset] of [[-1, 0], [0, 21], [0, 0.5]] as const) {
    assertThrows(open({ position: { epoch, offset } }), RangeError, "Cannot move");
  }
});
