import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { TaskWorker, WorkerEndedError } from "./task_worker.ts";

const module = new URL("../fixtures/stuck_worker.ts", import.meta.url);

Deno.test("TaskWorker answers tasks one after the other, errors among them", async () => {
  const worker = new TaskWorker<number, number>(module);
  assertEquals(await worker.ask(4, 10_000), 8);
  await assertRejects(() => worker.ask(-1, 10_000), RangeError, "it is negative");
  assertEquals(await worker.ask(5, 10_000), 10);
  worker.end();
  await assertRejects(() => worker.ask(5, 10_000), WorkerEndedError, "no longer needed");
});

Deno.test("TaskWorker ends a worker that is stuck", async () => {
  const worker = new TaskWorker<number, number>(module);
  await worker.ask(1, 10_000);
  const started = performance.now();
  await assertRejects(() => worker.ask(0, 50), WorkerEndedError, "no answer in 50 ms");
  assertLess(performance.now() - started, 2000);
  assert(worker.ended);
});
