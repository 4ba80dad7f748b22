// deno task bench:loader: whether the loader keeps up with training.
import { join } from "@std/path";
import { memorySplit, type Split, splitOf } from "../../training/dataset/dataset.ts";
import { GatheringLoader, type Loader } from "../../training/dataset/loader.ts";
import { sharedBytes } from "../../training/dataset/memory_source.ts";
import { PrefetchingLoader } from "../../training/dataset/prefetching_loader.ts";
import { encodeShardHeader, recordsOffsetFor } from "../../training/dataset/shards/shard_format.ts";
import { openShards } from "../../training/dataset/shards/shard_source.ts";
import { openGpu } from "../../training/gpu/device.ts";
import { MODELS } from "../../training/models/models.ts";
import { type Bench, type BenchOptions, runBench, select } from "./bench.ts";
import { describeMachine, formatMachine, type Machine } from "./machine.ts";
import { digits, formatTable, ratio } from "./table.ts";
import { runTrainer } from "./training/run_trainer.ts";
import type { NetName } from "./training/step_protocol.ts";
import { TOPFIVE } from "./training/trainers.ts";

const HELP =
  `Images a second of the loader alone, from shards and from memory, beside whole training

Usage: deno task bench:loader [options]

Each row is a network's records, shuffled, in batches of 128 (lenet5: 64): read from shards by the
Worker that reads ahead (files in the system's cache), from memory by that Worker, and from memory on
the training thread. "thread" is what a batch costs the training thread itself, in processor time,
while the Worker reads. Then the images a second of training on this adapter, and how many times as
fast the loader is that topfive uses for such data: shards, or memory by the size of the batch.

Examples
  deno task bench:loader --quick
  deno task bench:loader --only alexnet`;

const NETS: readonly NetName[] = ["alexnet", "cifar10-18pct", "lenet5"];
const BATCHES: Readonly<Partial<Record<NetName, number>>> = { lenet5: 64 };
const SECONDS = { quick: 2, full: 8 } as const;
const LIMIT_SECONDS = { quick: 120, full: 300 } as const;
/** Images a step on a software driver: one of 128 of alexnet takes tens of seconds there. */
const SOFTWARE_BATCH = 16;
/** Bytes of the set: more than a processor caches, less than any memory. */
const SET_BYTES = 400e6;

interface Rate {
  readonly imagesPerSecond: number;
  /** Of the calling thread, while batches come. */
  readonly threadMs: number;
}

interface Row {
  readonly net: NetName;
  readonly batch: number;
  readonly recordBytes: number;
  readonly shards: Rate;
  readonly prefetched: Rate;
  readonly gathered: Rate;
  readonly training: number | undefined;
}

const bench: Bench = { name: "bench:loader", help: HELP, run };

async function run({ quick, json, only, batch }: BenchOptions): Promise<void> {
  const gpu = await openGpu();
  const machine = await describeMachine(gpu.description);
  gpu.close();
  const length = quick ? "quick" : "full";
  const seconds = SECONDS[length];
  const rows: Row[] = [];
  const notes: string[] = [];
  for (const net of select(NETS, only, (name) => name)) {
    console.error(net);
    const size = batch ?? BATCHES[net] ?? 128;
    const rates = await measureLoaders(net, size, seconds);
    const trained = gpu.family === "software" ? Math.min(size, SOFTWARE_BATCH) : size;
    const request = { net, width: 1, batch: trained, seconds };
    const { result, missing } = await runTrainer(TOPFIVE, request, LIMIT_SECONDS[length]);
    if (missing) notes.push(`no training: ${net}: ${missing}`);
    else if (trained < size) notes.push(`${net}: training in batches of ${trained}`);
    rows.push({ net, batch: size, ...rates, training: result?.imagesPerSecond });
  }
  if (json) console.log(JSON.stringify({ machine, rows, notes }, null, 2));
  else console.log(format(machine, rows, notes));
}

async function measureLoaders(net: NetName, batchSize: number, seconds: number) {
  const { channels, defaults: { side } } = MODELS[net];
  const recordBytes = side * side * channels;
  const count = Math.max(4 * batchSize, Math.floor(SET_BYTES / recordBytes));
  const memory = memorySplit(noise(count * recordBytes), new Uint32Array(count));
  const folder = await Deno.makeTempDir();
  try {
    const shards = writeShard(folder, memory, side, channels);
    const options = { batchSize, seed: 1 };
    return {
      recordBytes,
      shards: await rateOf(new PrefetchingLoader(shards.source, options), seconds),
      prefetched: await rateOf(new PrefetchingLoader(memory.source, options), seconds),
      gathered: await rateOf(new GatheringLoader(memory, options), seconds),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function noise(length: number): Uint8Array<SharedArrayBuffer> {
  const bytes = sharedBytes(length);
  let state = 1;
  for (let i = 0; i < length; i++) {
    state = Math.imul(state, 1664525) + 1013904223 >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

function writeShard(folder: string, split: Split, side: number, channels: 1 | 3): Split {
  const { source: { recordBytes, labels }, count } = split;
  const recordsOffset = recordsOffsetFor(count);
  using file = Deno.openSync(join(folder, "shard"), { write: true, createNew: true });
  const write = (bytes: Uint8Array) => {
    for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
  };
  write(encodeShardHeader({ side, channels, labels, recordsOffset }));
  const record = new Uint8Array(recordBytes);
  for (let i = 0; i < count; i++) {
    split.source.readInto(i, record, 0);
    write(record);
  }
  return splitOf(openShards(folder, [{ file: "shard", count }], { side, channels }));
}

/** After the first batches, which wait for the Worker to start and for the shuffle. */
async function rateOf(loader: Loader, seconds: number): Promise<Rate> {
  try {
    for (let i = 0; i < 8; i++) await loader.next();
    const start = performance.now();
    const end = start + 1000 * seconds;
    let batches = 0, busy = 0;
    while (performance.now() < end) {
      const called = performance.now();
      const next = loader.next();
      // Until it gives the thread back; what it then does with an answer is a few microseconds.
      busy += performance.now() - called;
      await next;
      batches++;
    }
    const elapsed = (performance.now() - start) / 1000;
    return { imagesPerSecond: batches * loader.batchSize / elapsed, threadMs: busy / batches };
  } finally {
    loader.close();
  }
}

function format(machine: Machine, rows: readonly Row[], notes: readonly string[]): string {
  return formatTable({
    head: formatMachine(machine),
    columns: [
      "records of",
      "batch",
      "bytes",
      "shards",
      "memory, Worker",
      "thread ms",
      "memory, gathered",
      "thread ms",
      "training",
      "shards/training",
      "memory/training",
    ],
    rows: rows.map(({ net, batch, recordBytes, shards, prefetched, gathered, training }) => {
      const fromMemory = Math.max(prefetched.imagesPerSecond, gathered.imagesPerSecond);
      return [
        net,
        `${batch}`,
        recordBytes.toLocaleString("en"),
        digits(shards.imagesPerSecond),
        digits(prefetched.imagesPerSecond),
        digits(prefetched.threadMs),
        digits(gathered.imagesPerSecond),
        digits(gathered.threadMs),
        digits(training) || "none",
        ratio(shards.imagesPerSecond, training),
        ratio(fromMemory, training),
      ];
    }),
    notes: [...notes, "images a second, and milliseconds of the training thread for a batch"],
  });
}

if (import.meta.main) await runBench(bench, Deno.args);
