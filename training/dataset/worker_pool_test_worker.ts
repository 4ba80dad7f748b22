import { answerTasks } from "./worker_pool.ts";

/** Doubles a number; fails on negative ones; moves the bytes it answers with. */
answerTasks(async (task: number, transfer) => {
  if (task < 0) throw new RangeError(`negative task ${task}`);
  await new Promise((resolve) => setTimeout(resolve, task % 3));
  const bytes = new Uint8Array([2 * task]);
  transfer.push(bytes.buffer);
  return { bytes, left: bytes.length };
});
