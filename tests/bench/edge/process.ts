/**
 * One engine in a process of its own: says "first" when the first answer is there, then prints what it
 * measured. Started by bench:edge with a store, a model, a variant, a runtime, its threads and a
 * photograph.
 */
import { openStore } from "../../../shared/object_store/open_store.ts";
import { readManifest } from "../../../shared/model_registry.ts";
import { asVariant } from "../../../shared/variants.ts";
import type { Runtime } from "../../../inference/workers/runtimes.ts";

const [address, name, version, variant, runtime, threads, photo, runs] = Deno.args as [
  string,
  string,
  string,
  string,
  Runtime,
  string,
  string,
  string,
];
const store = openStore(address);
const reading = readManifest(store, name, version);
// While the store answers, as the service does.
const { publishedWeights } = await import("../../../inference/workers/published_weights.ts");
const { openSession } = await import("../../../inference/workers/session.ts");
const manifest = asVariant((await reading)!, variant);
const session = await openSession(publishedWeights(store, manifest), manifest, {
  runtime,
  threads: Number(threads),
});
const [, channels, height, width] = manifest.input.shape;
const size = channels * height * width;
await session.run(picture(1), 1);
console.log("first");

// A photograph of a phone, for the memory that its decoding takes.
const { makeInputs } = await import("../../../inference/workers/make_inputs.ts");
const bytes = await Deno.readFile(photo);
const { values } = await makeInputs({
  bytes,
  spec: manifest.preprocess,
  maxPixels: Infinity,
  views: "centre",
});
await session.run(values, 1);
// The session's other threads join meanwhile.
await new Promise((resolve) => setTimeout(resolve, 1_500));
const batch1 = await timeOf(1, Number(runs));
const { memoryOf } = await import("../process_use.ts");
// What this system does not tell is left out.
const { peak, resident: steady } = await memoryOf("self").catch(() => ({
  peak: NaN,
  resident: NaN,
}));
const batch8 = await timeOf(8, Math.ceil(Number(runs) / 4));
console.log(JSON.stringify({ batch1, batch8, peak, steady }));
Deno.exit(0);

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
