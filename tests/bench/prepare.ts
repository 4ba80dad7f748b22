// deno task bench:prepare: images a second and memory of topfive prepare, beside Pillow.
import { fromFileUrl, join } from "@std/path";
import { type Bench, type BenchOptions, runBench } from "./bench.ts";
import { DENO_FLAGS } from "./deno_program.ts";
import { describeMachine, formatMachine } from "./machine.ts";
import { NotHere, Peer, type PeerCommand } from "./peer.ts";
import { digits, formatTable, ratio } from "./table.ts";

const HELP = `How fast an image set is prepared, beside Pillow, and in how much memory

Usage: deno task bench:prepare [options]

The photographs of TOPFIVE_PHOTOS (a folder; default ../shared/data/imagenet-samples/original) are
copied under new names, each with a few bytes of its own, until there are enough, then prepared at 256 pixels by one and by two Workers
or processes. Pillow decodes, turns, resizes and crops the same files in the same run and writes the
records to one file; topfive also hashes, checks and sums them. Processor time is the fairer figure
where the machine is busy. 1,000 and 10,000 images (--quick: 200 and 1,000) show that memory does not
grow with the set. Below the table: what ImageNet's 1,281,167 + 50,000 images would take here.`;

const SIDE = 256;
const COUNTS = { quick: [200, 1000], full: [1000, 10_000] } as const;
const LIMIT_SECONDS = 7200;
const IMAGENET = 1_281_167 + 50_000;

export interface PrepareRequest {
  readonly folder: string;
  readonly side: number;
  readonly processes: number;
}

export interface PrepareResult {
  readonly images: number;
  readonly seconds: number;
  /** Of all threads and child processes. */
  readonly cpuSeconds: number;
  readonly peakBytes: number;
  /** What was written. */
  readonly bytes: number;
}

interface Row {
  readonly name: string;
  readonly processes: number;
  readonly greeting: string;
  readonly result: PrepareResult;
}

const bench: Bench = { name: "bench:prepare", help: HELP, run };

async function run(options: BenchOptions): Promise<void> {
  const ours: PeerCommand = {
    program: Deno.execPath(),
    args: [
      "run",
      ...DENO_FLAGS,
      "--allow-all",
      fromFileUrl(import.meta.resolve("./prepare/topfive.ts")),
    ],
  };
  const pillow: PeerCommand = {
    program: options.python,
    args: [fromFileUrl(import.meta.resolve("./pytorch/pillow.py"))],
  };
  const machine = await describeMachine("none");
  const photos = Deno.env.get("TOPFIVE_PHOTOS") ??
    fromFileUrl(new URL("../../../shared/data/imagenet-samples/original", import.meta.url));
  const [few, many] = COUNTS[options.quick ? "quick" : "full"];
  const rows: Row[] = [];
  const notes: string[] = [];
  for (const count of [few, many]) {
    await using files = await copies(photos, count);
    const trials: [PeerCommand, number][] = count === few
      ? [[ours, 1], [pillow, 1], [ours, 2], [pillow, 2]]
      : [[ours, 2]];
    for (const [command, processes] of trials) {
      console.error(`${count} images, ${command.program}, ${processes}`);
      const request = { folder: files.folder, side: SIDE, processes };
      await measure(command, request).then(
        ({ greeting, result }) =>
          rows.push({ name: `${count} photographs`, processes, greeting, result }),
        (error) => {
          if (!(error instanceof NotHere)) throw error;
          notes.push(`not here: ${command.program}: ${error.message}`);
        },
      );
    }
  }
  if (options.json) console.log(JSON.stringify({ machine, rows, notes }, null, 2));
  else console.log(format(formatMachine(machine), rows, notes));
}

/** Photographs under as many names as asked for, no two of the same bytes, in two classes. */
async function copies(photos: string, count: number) {
  const names = (await Array.fromAsync(Deno.readDir(photos), ({ name }) => name)).sort();
  const root = await Deno.makeTempDir();
  const folder = join(root, "images");
  for (const label of ["a", "b"]) {
    await Deno.mkdir(join(folder, "train", label), { recursive: true });
  }
  for (let i = 0; i < count; i++) {
    const name = names[i % names.length]!;
    const copy = join(folder, "train", "ab"[i % 2]!, `${i}-${name}`);
    await Deno.copyFile(join(photos, name), copy);
    // Behind a picture's end nobody reads.
    await Deno.writeTextFile(copy, `${i}`, { append: true });
  }
  return { folder, [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }) };
}

async function measure(command: PeerCommand, request: PrepareRequest) {
  const peer = await Peer.start(command);
  try {
    const result = await peer.ask<PrepareResult>(request, LIMIT_SECONDS);
    return { greeting: peer.greeting, result };
  } finally {
    await peer.close();
  }
}

function format(head: string[], rows: readonly Row[], notes: readonly string[]): string {
  const msOf = ({ cpuSeconds, images }: PrepareResult) => 1000 * cpuSeconds / images;
  const own = rows.filter(({ greeting }) => greeting.startsWith("topfive"));
  const last = own.at(-1)?.result;
  const outlook = last === undefined ? [] : [
    `ImageNet, ${IMAGENET.toLocaleString("en")} images, at this rate: ` +
    `${digits(IMAGENET * last.seconds / last.images / 3600)} h, ` +
    `${digits(IMAGENET * last.cpuSeconds / last.images / 3600)} h of processor time, ` +
    `${digits(IMAGENET * last.bytes / last.images / 1e9)} GB of shards`,
  ];
  return formatTable({
    head,
    columns: ["what", "by", "at a time", "images/s", "CPU ms/image", "of Pillow's CPU", "peak MiB"],
    rows: rows.map(({ name, processes, greeting, result }) => {
      const peer = rows.find((row) =>
        row.name === name && row.processes === processes && row.greeting !== greeting
      );
      return [
        name,
        greeting,
        `${processes}`,
        digits(result.images / result.seconds),
        digits(msOf(result)),
        greeting.startsWith("topfive") ? ratio(msOf(result), peer && msOf(peer.result)) : "",
        digits(result.peakBytes / 2 ** 20),
      ];
    }),
    notes: [...outlook, ...notes],
  });
}

if (import.meta.main) await runBench(bench, Deno.args);
