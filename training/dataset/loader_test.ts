import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { memorySplit, type Split } from "./dataset.ts";
import { BatchLoader, evaluationBatches } from "./loader.ts";

/** Image i has the label 100 + i and the bytes i, i + 1, i + 2. */
function numbered(count: number): Split {
  return memorySplit(
    Uint8Array.from({ length: count * 3 }, (_, i) => Math.floor(i / 3) + i % 3),
    Uint32Array.from({ length: count }, (_, i) => 100 + i),
  );
}

const take = (loader: BatchLoader, steps: number) =>
  Array.from({ length: steps }, () => [...loader.next().indices]);

Deno.test("BatchLoader.next() gives each image with its own label and bytes", () => {
  const loader = new BatchLoader(numbered(20), { batchSize: 6, seed: 3 });
  for (let step = 0; step < 10; step++) {
    const { records, labels, indices } = loader.next();
    indices.forEach((index, i) => {
      assertEquals(labels[i], 100 + index);
      assertEquals([...records.subarray(i * 3, i * 3 + 3)], [index, index + 1, index + 2]);
    });
  }
});

Deno.test("BatchLoader gives an image at most once an epoch and drops the incomplete batch", () => {
  const loader = new BatchLoader(numbered(20), { batchSize: 6, seed: 3 });
  assertEquals(loader.stepsPerEpoch, 3);
  const orders: string[] = [];
  const dropped = new Set<number>();
  for (let epoch = 0; epoch < 12; epoch++) {
    assertEquals(loader.position, { epoch, offset: 0 });
    const seen = take(loader, 3).flat();
    assertEquals(new Set(seen).size, 18);
    for (let i = 0; i < 20; i++) if (!seen.includes(i)) dropped.add(i);
    orders.push(seen.join());
  }
  assertEquals(new Set(orders).size, 12, "two epochs had the same order");
  assert(dropped.size > 8, `always the same images are dropped: ${[...dropped]}`);
});

Deno.test("BatchLoader order is a function of the seed", () => {
  const order = (seed: number) => take(new BatchLoader(numbered(20), { batchSize: 5, seed }), 9);
  assertEquals(order(1), order(1));
  assertNotEquals(order(1), order(2));
});

Deno.test("BatchLoader resumes exactly from every position", () => {
  const options = { batchSize: 6, seed: 9 };
  const whole = take(new BatchLoader(numbered(20), options), 11);
  const loader = new BatchLoader(numbered(20), options);
  for (let step = 0; step < 10; step++) {
    const position = JSON.parse(JSON.stringify(loader.position));
    const resumed = new BatchLoader(numbered(20), { ...options, position });
    assertEquals(take(resumed, 11 - step), whole.slice(step), `resumed at step ${step}`);
    loader.next();
  }
});

Deno.test("BatchLoader.seek() rolls over where no whole batch is left", () => {
  const loader = new BatchLoader(numbered(20), { batchSize: 6, seed: 9 });
  loader.seek({ epoch: 2, offset: 15 });
  assertEquals(loader.position, { epoch: 3, offset: 0 });
  const atStart = new BatchLoader(numbered(20), {
    batchSize: 6,
    seed: 9,
    position: { epoch: 3, offset: 0 },
  });
  assertEquals(take(loader, 2), take(atStart, 2));
});

Deno.test("BatchLoader.next() reuses its arrays", () => {
  const loader = new BatchLoader(numbered(20), { batchSize: 6, seed: 3 });
  const first = loader.next();
  const { records, labels } = first;
  const second = loader.next();
  assertStrictEquals(second.records, records);
  assertStrictEquals(second.labels, labels);
});

Deno.test("BatchLoader rejects batch sizes and positions that cannot be", () => {
  for (const batchSize of [0, 21, 1.5, NaN]) {
    assertThrows(() => new BatchLoader(numbered(20), { batchSize, seed: 1 }), RangeError, "batch");
  }
  const loader = new BatchLoader(numbered(20), { batchSize: 6, seed: 1 });
  for (
    const position of [{ epoch: -1, offset: 0 }, { epoch: 0, offset: 21 }, {
      epoch: 0,
      offset: 0.5,
    }]
  ) {
    assertThrows(() => loader.seek(position), RangeError, "Cannot move");
  }
});

Deno.test("evaluationBatches() gives every image once, in order, the last batch padded with zeros", () => {
  const batches = [...evaluationBatches(numbered(8), 3)].length;
  assertEquals(batches, 3);
  const seen: number[] = [];
  for (const { records, labels, count, start } of evaluationBatches(numbered(8), 3)) {
    assertEquals(start, seen.length);
    assertEquals([records.length, labels.length], [9, 3]);
    for (let i = 0; i < count; i++) {
      seen.push(labels[i]!);
      assertEquals(records[i * 3 + 2]! + 98, labels[i]!);
    }
    assert(records.subarray(count * 3).every((byte) => byte === 0));
    assert(labels.subarray(count).every((label) => label === 0));
  }
  assertEquals(seen, [100, 101, 102, 103, 104, 105, 106, 107]);
  assertEquals([...evaluationBatches(numbered(0), 3)], []);
  assertThrows(() => evaluationBatches(numbered(8), 0).next(), RangeError);
});
