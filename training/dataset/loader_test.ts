import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { memorySplit, type Split, splitOf } from "./dataset.ts";
import { evaluationBatches, GatheringLoader, type Loader, openLoader } from "./loader.ts";
import { MemorySource, sharedBytes } from "./memory_source.ts";
import { PrefetchingLoader } from "./prefetching_loader.ts";

/** Image i has the label 100 + i and the bytes i, i + 1, i + 2. */
function numbered(count: number): Split {
  const records = sharedBytes(count * 3);
  records.forEach((_, i) => records[i] = Math.floor(i / 3) + i % 3);
  return memorySplit(records, Uint32Array.from({ length: count }, (_, i) => 100 + i));
}

async function take(loader: Loader, steps: number): Promise<number[][]> {
  const taken = [];
  for (let step = 0; step < steps; step++) taken.push([...(await loader.next()).indices]);
  loader.close();
  return taken;
}

const options = { batchSize: 6, seed: 3 };
const prefetching = () => new PrefetchingLoader(numbered(20).source, options);

for (
  const [name, open] of [
    ["GatheringLoader", () => new GatheringLoader(numbered(20), options)],
    ["PrefetchingLoader", prefetching],
  ] as const
) {
  Deno.test(`${name}.next() gives each image with its own label and bytes`, async () => {
    const loader = open();
    assertEquals([loader.batchSize, loader.stepsPerEpoch], [6, 3]);
    for (let step = 0; step < 10; step++) {
      assertEquals(loader.position, { epoch: Math.floor(step / 3), offset: step % 3 * 6 });
      const { records, labels, indices } = await loader.next();
      indices.forEach((index, i) => {
        assertEquals(labels[i], 100 + index);
        assertEquals([...records.subarray(i * 3, i * 3 + 3)], [index, index + 1, index + 2]);
      });
    }
    loader.close();
  });
}

Deno.test("PrefetchingLoader gives what GatheringLoader gives, from every position", async () => {
  const whole = await take(new GatheringLoader(numbered(20), options), 11);
  assertEquals(await take(prefetching(), 11), whole);
  for (let step = 1; step < 11; step += 3) {
    const position = { epoch: Math.floor(step / 3), offset: step % 3 * 6 };
    const resumed = new PrefetchingLoader(numbered(20).source, { ...options, position });
    assertEquals(await take(resumed, 11 - step), whole.slice(step), `resumed at step ${step}`);
  }
});

Deno.test("PrefetchingLoader keeps a batch until the next call, and reuses four", async () => {
  const loader = prefetching();
  const buffers = new Set<number>();
  for (let step = 0; step < 20; step++) {
    const { records, indices } = await loader.next();
    const before = [...records];
    await new Promise((resolve) => setTimeout(resolve, 1));
    assertEquals([...records], before);
    buffers.add(indices[0]!);
  }
  assert(buffers.size > 4, "the same batch again and again");
  loader.close();
});

Deno.test("PrefetchingLoader.next() rejects with what its Worker failed with, each time", async () => {
  const { source } = numbered(20);
  const description = { ...source.description, records: new Uint8Array(59) };
  const cut = { ...numbered(20).source, count: 20, recordBytes: 3, description };
  const loader = new PrefetchingLoader(cut, options);
  for (let call = 0; call < 2; call++) {
    await assertRejects(() => loader.next(), Error, "59 bytes do not divide into 20 records");
  }
  loader.close();
});

Deno.test("PrefetchingLoader.close() ends a call that waits, and every later one", async () => {
  const loader = prefetching();
  const waiting = assertRejects(() => loader.next(), Error, "the loader is closed");
  loader.close();
  await waiting;
  await assertRejects(() => loader.next(), Error, "the loader is closed");
});

Deno.test("openLoader() gathers small batches from memory, and reads ahead what is large", () => {
  const large = splitOf(new MemorySource(sharedBytes(2 ** 21), new Uint32Array(2)));
  for (
    const [split, batchSize, kind] of [
      [numbered(20), 6, GatheringLoader],
      [large, 1, GatheringLoader],
      [large, 2, PrefetchingLoader],
    ] as const
  ) {
    const loader = openLoader(split, { batchSize, seed: 1 });
    assertStrictEquals(loader.constructor, kind);
    loader.close();
  }
  assertThrows(() => openLoader(numbered(20), { batchSize: 21, seed: 1 }), RangeError, "20 images");
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
