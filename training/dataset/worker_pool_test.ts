import { assertEquals, assertRejects } from "@std/assert";
import { runInWorkers } from "./worker_pool.ts";

const module = new URL("./worker_pool_test_worker.ts", import.meta.url);
type Answer = { bytes: Uint8Array; left: number };

Deno.test("runInWorkers() gives each task's own result once, whatever the number of Workers", async () => {
  const tasks = Array.from({ length: 25 }, (_, i) => i);
  for (const workers of [1, 3, 40]) {
    const answers = new Map<number, number>();
    await runInWorkers<number, Answer>({
      module,
      tasks,
      workers,
      onResult: ({ bytes }, task) => answers.set(task, bytes[0]!),
    });
    assertEquals([...answers].sort(([a], [b]) => a - b), tasks.map((task) => [task, 2 * task]));
  }
});

Deno.test("runInWorkers() ends at once without tasks", async () => {
  await runInWorkers({ module, tasks: [], onResult: () => {} });
});

Deno.test("runInWorkers() rejects with a task's error", async () => {
  const run = runInWorkers<number, Answer>({ module, tasks: [1, 2, -7, 3], onResult: () => {} });
  await assertRejects(() => run, Error, "negative task -7");
});

Deno.test("runInWorkers() rejects with what onResult throws", async () => {
  const onResult = () => {
    throw new Error("full");
  };
  await assertRejects(() => runInWorkers({ module, tasks: [1, 2], onResult }), Error, "full");
});

Deno.test("runInWorkers() rejects where the module throws as it loads", async () => {
  const broken = new URL("data:application/javascript,throw new Error('no codec')");
  await assertRejects(
    () => runInWorkers({ module: broken, tasks: [1], onResult: () => {} }),
    Error,
    "no codec",
  );
});
