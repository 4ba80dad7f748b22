/**
 * One engine in a process of its own: says "first" when the first answer is there, then prints what it
 * measured. Started by bench:edge with a store, a model, a variant and a runtime.
 */
import { openStore } from "../../../shared/object_store/open_store.ts";
import { readManifest } from "../../../shared/model_registry.ts";
import { asVariant } from "../../../shared/variants.ts";
import { publishedWeights } from "../../../inference/workers/published_weights.ts";
import type { Runtime } from "../../../inference/workers/runtimes.ts";
import { openSession } from "../../../inference/workers/session.ts";

const [address, name, version, variant, runtime, runs] = Deno.args as [
  string,
  string,
  string,
  string,
  Runtime,
  string,
];
const store = openStore(address);
const manifest = asVariant((await readManifest(store, name, version))!, variant);
const session = await openSession(publishedWeights(store, manifest), manifest, { runtime });
const [, channels, height, width] = manifest.input.shape;
const size = channels * height * width;
await session.run(picture(1), 1);
console.log("first");

/** Slopes and a ripple: nothing that a network may skip. */
function picture(count: number): Float32Array {
  return Float32Array.from({ length: count * size }, (_, i) => 100 * Math.sin(i * 0.013) + i % 7);
}

async function timeOf(batch: number, count: number): Promise<number> {
  const input = picture(batch);
  await session.run(input, batch);
  const times: number[] = [];
  for (let run = 0; run < count; run++) {
    const started = performance.now();
    await session.run(input, batch);
    times.push((performance.now() - started) / batch);
  }
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}

const batch1 = await timeOf(1, Number(runs));
const batch8 = await timeOf(8, Math.ceil(Number(runs) / 4));
const status = await Deno.readTextFile("/proc/self/status").catch(() => "");
const bytes = (field: string) =>
  1024 * Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1]);
console.log(JSON.stringify({ batch1, batch8, peak: bytes("VmHWM"), steady: bytes("VmRSS") }));
Deno.exit(0);
