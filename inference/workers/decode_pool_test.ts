import { assert, assertEquals, assertRejects } from "@std/assert";
import { ImageError } from "../../shared/image/image.ts";
import { preprocess } from "../../shared/image/preprocess.ts";
import { coloursManifest, fixture } from "../fixtures/colours.ts";
import { DecodePool } from "./decode_pool.ts";
import type { DecodeTask } from "./make_inputs.ts";
import { WorkerEndedError } from "./task_worker.ts";

const spec = { ...coloursManifest().preprocess, side: 20 };
const bytes = await fixture("blue.jpg");
const task: DecodeTask = { bytes, spec, maxPixels: 1e6, views: "centre" };

Deno.test("DecodePool gives what preprocess gives, whatever waits and fails beside it", async () => {
  const pool = new DecodePool({ workers: 2, milliseconds: 10_000 });
  const broken = { ...task, bytes: bytes.subarray(0, 200) };
  const results = await Promise.allSettled(
    Array.from({ length: 12 }, (_, index) => pool.decode(index % 3 === 0 ? broken : task)),
  );
  const expected = await preprocess(bytes, spec);
  for (const [index, result] of results.entries()) {
    if (result.status === "fulfilled") assertEquals(result.value.values, expected);
    else assert(index % 3 === 0 && result.reason instanceof ImageError);
  }
  assertEquals(results.filter(({ status }) => status === "rejected").length, 4);
  pool.close();
});

Deno.test("DecodePool makes ten views: corners, centre, and their reflections", async () => {
  const pool = new DecodePool({ workers: 1, milliseconds: 10_000 });
  const { values, count } = await pool.decode({ ...task, views: "ten" });
  assertEquals([count, values.length], [10, 10 * 3 * 16 * 16]);
  const view = (index: number) => values.subarray(index * 768, (index + 1) * 768);
  assertEquals(view(8), await preprocess(bytes, spec));
  for (let row = 0; row < 768; row += 16) {
    assertEquals(view(9).slice(row, row + 16), view(8).slice(row, row + 16).reverse());
  }
  pool.close();
});

Deno.test("DecodePool leaves out an image whose client went away while it waited", async () => {
  const pool = new DecodePool({ workers: 1, milliseconds: 10_000 });
  const stop = new AbortController();
  const first = pool.decode(task);
  const second = pool.decode(task, { signal: stop.signal });
  stop.abort();
  await assertRejects(() => second, DOMException);
  await first;
  assertEquals((await pool.decode(task)).count, 1);
  pool.close();
});

Deno.test("DecodePool replaces a worker that took too long", async () => {
  const pool = new DecodePool({ workers: 1, milliseconds: 0 });
  await assertRejects(() => pool.decode(task), WorkerEndedError, "no answer in 0 ms");
  assertEquals(pool.replaced, 1);
  await assertRejects(() => pool.decode(task), WorkerEndedError);
  pool.close();
  await assertRejects(() => pool.decode(task), WorkerEndedError, "the pool is closed");
});
