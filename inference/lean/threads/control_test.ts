import { assertEquals, assertThrows } from "@std/assert";
import { Control, CONTROL_BYTES } from "./control.ts";

const PROGRAM = { version: 1, at: 4096, numbers: 1 };

/** Two threads' views of the same words. */
function pair(patienceMs?: number): [Control, Control] {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  assertEquals(CONTROL_BYTES % 64, 0);
  return [new Control(memory, 64, patienceMs), new Control(memory, 64, patienceMs)];
}

Deno.test("a phase's tasks are taken once each, and none of the next phase", () => {
  const [leader, follower] = pair();
  leader.begin(PROGRAM);
  assertEquals(follower.take(leader.run), -1);
  leader.open(3);
  const taken = [follower, leader, follower, leader].map((each) => each.take(leader.run));
  assertEquals(taken, [0, 1, 2, -1]);
  for (let i = 0; i < 3; i++) follower.done();
  leader.finish(3);
  leader.takeAlone();
  leader.open(5);
  assertEquals(follower.take(leader.run), 4);
});

Deno.test("a thread that is late takes no task of another run", () => {
  const [leader, follower] = pair();
  leader.begin(PROGRAM);
  const late = follower.run;
  leader.open(1);
  leader.begin(PROGRAM);
  leader.open(1);
  assertEquals(follower.take(late), -1);
  assertEquals(follower.awaitLimit(late, 1, 0), false);
  assertEquals(follower.take(leader.run), 0);
});

Deno.test("the numbers of runs begin again without an end", () => {
  const [leader, follower] = pair();
  for (let run = 0; run < 70_000; run++) {
    leader.begin(PROGRAM);
    leader.open(1);
    assertEquals(follower.take(follower.run), 0);
  }
});

Deno.test("a run's program is there until it is withdrawn", () => {
  const [leader, follower] = pair();
  assertEquals(follower.program, undefined);
  for (const version of [7, 8, 8, 7]) {
    const place = { version, at: 4096 * version, numbers: 12 };
    leader.begin(place);
    assertEquals(follower.program, place);
  }
  leader.withdraw();
  assertEquals(follower.program, undefined);
});

Deno.test("a follower that took a task and died is not waited for without an end", () => {
  const [leader, follower] = pair(50);
  leader.begin(PROGRAM);
  leader.open(2);
  follower.take(follower.run);
  leader.take(leader.run);
  leader.done();
  assertThrows(() => leader.finish(2), Error, "a thread has not done its task in 50 ms");
});

Deno.test("a leader that died is not waited for without an end", () => {
  const [leader, follower] = pair(50);
  leader.begin(PROGRAM);
  leader.open(1);
  assertEquals(follower.take(follower.run), 0);
  leader.open(1);
  assertEquals(follower.awaitLimit(follower.run, 2, 1), false);
});

Deno.test("the leader is told of a task that failed", () => {
  const [leader, follower] = pair();
  leader.begin(PROGRAM);
  leader.open(1);
  follower.take(follower.run);
  follower.fail();
  follower.done();
  assertThrows(() => leader.finish(1), Error, "a kernel failed on another thread");
});
