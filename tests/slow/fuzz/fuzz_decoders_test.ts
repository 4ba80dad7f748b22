// Decoders against files changed at random: an answer or an error of ours, in time, in memory.
import { assertEquals, assertLess } from "@std/assert";
import { mutate } from "./mutate.ts";
import { readSeeds } from "./seeds.ts";

const folder = new URL("../../../../shared/data/images/", import.meta.url);
const INPUTS = 20_000;
/** Larger seeds say the same more slowly. */
const MAX_SEED_BYTES = 40_000;
const DEADLINE_MS = 10_000;
const MEMORY_BYTES = 1_000_000_000;
const WORKERS = 2;

Deno.test({
  name: `decodeImage() survives ${INPUTS.toLocaleString("en")} files changed at random`,
  ignore: !exists(folder),
  async fn() {
    const seeds = readSeeds(folder, MAX_SEED_BYTES);
    const outcomes: Record<string, number> = {};
    const faults: string[] = [];
    let [next, slowest] = [0, 0];
    const run = async () => {
      let worker = startWorker();
      while (next < INPUTS) {
        const number = next++;
        const started = performance.now();
        const outcome = await ask(worker, mutate(seeds, number));
        slowest = Math.max(slowest, performance.now() - started);
        const kind = outcome.split(":")[0]!;
        outcomes[kind] = (outcomes[kind] ?? 0) + 1;
        if (kind !== "fault" && kind !== "hang") continue;
        faults.push(`input ${number}: ${outcome}`);
        worker.terminate();
        worker = startWorker();
      }
      worker.terminate();
    };
    await Promise.all(Array.from({ length: WORKERS }, run));
    const { rss } = Deno.memoryUsage();
    console.log(
      outcomes,
      `slowest ${Math.round(slowest)} ms, ${Math.round(rss / 1e6)} MB at the end`,
    );
    assertEquals(faults, []);
    assertLess(rss, MEMORY_BYTES);
  },
});

function startWorker(): Worker {
  return new Worker(new URL("decode_worker.ts", import.meta.url), { type: "module" });
}

async function ask(worker: Worker, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = (event) => {
    event.preventDefault();
    resolve(`fault: ${event.message}`);
  };
  const timer = setTimeout(() => resolve(`hang: no answer in ${DEADLINE_MS} ms`), DEADLINE_MS);
  worker.postMessage(bytes);
  const outcome = await promise;
  clearTimeout(timer);
  return outcome;
}

function exists(url: URL): boolean {
  try {
    return Deno.statSync(url).isDirectory;
  } catch {
    return false;
  }
}
