import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { QueueFullError, RunQueue } from "./run_queue.ts";

function deferred(): { promise: Promise<void>; resolve: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { promise, resolve };
}

Deno.test("RunQueue runs one job at a time in the order of arrival", async () => {
  const queue = new RunQueue(8);
  const events: string[] = [];
  const job = (name: string) => async () => {
    events.push(`start ${name}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
    events.push(`end ${name}`);
    return name;
  };
  const results = await Promise.all([queue.run(job("a")), queue.run(job("b"))]);
  assertEquals(results, ["a", "b"]);
  assertEquals(events, ["start a", "end a", "start b", "end b"]);
});

Deno.test("RunQueue refuses a job beyond its capacity and takes work again afterwards", async () => {
  const queue = new RunQueue(2);
  const gate = deferred();
  const first = queue.run(() => gate.promise);
  const second = queue.run(() => Promise.resolve(2));
  assert(queue.full);
  await assertRejects(() => queue.run(() => Promise.resolve(3)), QueueFullError, "2 are waiting");
  gate.resolve();
  await first;
  assertEquals(await second, 2);
  assertEquals(queue.pending, 0);
  assertEquals(await queue.run(() => Promise.resolve(4)), 4);
});

Deno.test("RunQueue goes on after a job that failed and hands its error to its caller", async () => {
  const queue = new RunQueue(4);
  const failing = queue.run(() => Promise.reject(new Error("broken")));
  const next = queue.run(() => Promise.resolve("fine"));
  await assertRejects(() => failing, Error, "broken");
  assertEquals(await next, "fine");
});

Deno.test("RunQueue lets the event loop turn between jobs that never wait", async () => {
  const queue = new RunQueue(64);
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  const busy = () => {
    const until = performance.now() + 3;
    while (performance.now() < until);
    return Promise.resolve();
  };
  await Promise.all(Array.from({ length: 32 }, () => queue.run(busy)));
  clearInterval(timer);
  assert(turns >= 16, `only ${turns} timer ticks while 32 jobs of 3 ms ran`);
});

Deno.test("RunQueue idle() resolves only when the last job has ended", async () => {
  const queue = new RunQueue(2);
  const gate = deferred();
  let ended = false;
  const job = queue.run(() => gate.promise).then(() => ended = true);
  const idle = queue.idle().then(() => assertEquals(queue.pending, 0));
  assertEquals(ended, false);
  gate.resolve();
  await idle;
  await job;
});

Deno.test("RunQueue throws RangeError for a capacity below 1", () => {
  assertThrows(() => new RunQueue(0), RangeError, "capacity must be 1 or more");
});
