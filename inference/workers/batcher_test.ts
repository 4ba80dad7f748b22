import { assertEquals, assertRejects } from "@std/assert";
import { Batcher, type BatcherOptions, type RunBatch } from "./batcher.ts";
import { WorkerEndedError } from "./task_worker.ts";

/** Doubles each input, one class an input; keeps the sizes of its batches. */
function doubler(milliseconds = 2) {
  const sizes: number[] = [];
  const run = async (inputs: Float32Array<ArrayBuffer>, count: number) => {
    sizes.push(count);
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    return { probabilities: inputs.map((value) => value * 2), milliseconds, startedAt: 0 };
  };
  return { sizes, run };
}

function batcherOf(workers: readonly RunBatch[], options: BatcherOptions): Batcher {
  const batcher = new Batcher(options);
  for (const run of workers) batcher.addWorker(run);
  return batcher;
}

const one = (value: number) => new Float32Array([value]);

Deno.test("Batcher joins what arrives together, and gives each its own answer", async () => {
  const { sizes, run } = doubler();
  const batcher = batcherOf([run], { maxBatch: 4, maxDelayMs: 5 });
  const runs = await Promise.all([1, 2, 3].map((value) => batcher.add(one(value))));
  assertEquals(runs.map(({ probabilities }) => [...probabilities]), [[2], [4], [6]]);
  assertEquals(runs.map(({ batch, first }) => [batch, first]), [[3, true], [3, false], [3, false]]);
  assertEquals(sizes, [3]);
});

Deno.test("Batcher runs at most maxBatch at once, and gathers the next while one runs", async () => {
  const { sizes, run } = doubler();
  const batcher = batcherOf([run], { maxBatch: 4, maxDelayMs: 1000 });
  await Promise.all(Array.from({ length: 10 }, (_, value) => batcher.add(one(value))));
  assertEquals(sizes, [4, 4, 2]);
});

Deno.test("Batcher never runs what nobody waits for any more", async () => {
  const { sizes, run } = doubler();
  const batcher = batcherOf([run], { maxBatch: 8, maxDelayMs: 10 });
  const stop = new AbortController();
  const gone = batcher.add(one(1), { signal: stop.signal });
  const alone = batcher.add(one(2));
  stop.abort();
  await assertRejects(() => gone, DOMException);
  assertEquals((await alone).batch, 1);
  assertEquals(sizes, [1]);
});

Deno.test("Batcher hands a failed run to all of its inputs, and goes on", async () => {
  let fails = 1;
  const { run } = doubler();
  const failing: RunBatch = async (inputs, count) => {
    if (fails-- > 0) throw new Error("broken");
    return await run(inputs, count);
  };
  const batcher = batcherOf([failing], { maxBatch: 2, maxDelayMs: 1 });
  const both = [batcher.add(one(1)), batcher.add(one(2))];
  for (const failed of both) await assertRejects(() => failed, Error, "broken");
  assertEquals([...(await batcher.add(one(3))).probabilities], [6]);
});

Deno.test("Batcher shares what waits among its workers, and keeps all of them at work", async () => {
  const { sizes, run } = doubler();
  let [running, most] = [0, 0];
  const counted: RunBatch = async (inputs, count) => {
    most = Math.max(most, ++running);
    const result = await run(inputs, count);
    running--;
    return result;
  };
  const batcher = batcherOf([counted, counted], { maxBatch: 4, maxDelayMs: 1 });
  const runs = await Promise.all([1, 2, 3].map((value) => batcher.add(one(value))));
  assertEquals(runs.map(({ probabilities }) => [...probabilities]), [[2], [4], [6]]);
  assertEquals([sizes, most], [[2, 1], 2]);
  await Promise.all(Array.from({ length: 20 }, (_, value) => batcher.add(one(value))));
  assertEquals(most, 2);
  assertEquals(sizes.slice(2).reduce((sum, size) => sum + size, 0), 20);
});

Deno.test("Batcher lets inputs that came later go before patient ones", async () => {
  const { run } = doubler();
  const order: number[] = [];
  const noting: RunBatch = async (inputs, count) => {
    order.push(...inputs);
    return await run(inputs, count);
  };
  const batcher = batcherOf([noting], { maxBatch: 2, maxDelayMs: 0 });
  const patient = [1, 2, 3, 4].map((value) => batcher.add(one(value), { patient: true }));
  const other = batcher.add(one(9));
  await Promise.all([...patient, other]);
  // The first batch had left when the other came.
  assertEquals(order, [1, 2, 9, 3, 4]);
});

Deno.test("Batcher goes on with the workers that are left, and refuses at once without any", async () => {
  const { run } = doubler();
  const batcher = new Batcher({ maxBatch: 1, maxDelayMs: 0 });
  const ended = [false, false];
  for (const index of [0, 1]) {
    batcher.addWorker(async (inputs, count) => {
      if (inputs[0] !== 0) return await run(inputs, count);
      await new Promise((resolve) => setTimeout(resolve, 5));
      ended[index] = true;
      throw new WorkerEndedError("no answer in 5 ms");
    }, () => ended[index]!);
  }
  await assertRejects(() => batcher.add(one(0)), WorkerEndedError);
  assertEquals([...(await batcher.add(one(3))).probabilities], [6]);
  // The last one ends while another input waits for it.
  const both = [batcher.add(one(0)), batcher.add(one(4))];
  for (const lost of both) await assertRejects(() => lost, WorkerEndedError);
  await assertRejects(() => batcher.add(one(5)), WorkerEndedError);
  batcher.addWorker(run);
  assertEquals([...(await batcher.add(one(6))).probabilities], [12]);
});
