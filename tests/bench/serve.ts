// ./topfive bench serve: the service under load, beside a service in Python.
import { fromFileUrl, join } from "@std/path";
import { type Bench, type BenchOptions, runBench, select } from "./bench.ts";
import { DENO_FLAGS } from "./deno_program.ts";
import { describeMachine, formatMachine } from "./machine.ts";
import { NotHere, Peer } from "./peer.ts";
import { type BatchRate, batchRates } from "./serve/batches.ts";
import type { LoadRequest, LoadResult } from "./serve/load.ts";
import { type BenchModel, type ModelName, publishForBench } from "./serve/models.ts";
import { cpuSeconds, forgetPeak, memoryOf } from "./process_use.ts";
import { fastApiService, type Service, topfiveService } from "./serve/services.ts";
import { digits, formatTable, percent } from "./table.ts";

const HELP = `The service under load over real HTTP, beside FastAPI with onnxruntime and Pillow

Usage: ./topfive bench serve [options]

JPEGs of about 100 kB from TOPFIVE_PHOTOS (a folder; default: the shared ImageNet samples), each
request another one, at 1, 8 and 64 connections: latency, images a second and the most memory of the
process. Every answer must be 200. GET /healthz is asked meanwhile, from a third process. Above: what
the engines do in batches without HTTP and decoding, which is what a service can reach; "of best
batch" is its share of onnxruntime-web's. Processor time is the fairer figure where the machine is
busy. The last row sends 20,000 requests (--quick: 2,000) to a small network and says what the process
holds after a tenth, a half and all of them.

Examples
  ./topfive bench serve --quick
  ./topfive bench serve --only squeezenet
  ./topfive bench serve --only memory`;

const CONNECTIONS = [1, 8, 64];
const SECONDS = { quick: 4, full: 15 } as const;
const BATCH_SECONDS = { quick: 1.5, full: 5 } as const;
const MANY = { quick: 2_000, full: 20_000 } as const;
const LIMIT_SECONDS = 900;
/** Sizes that a photograph of "about 100 kB" may have. */
const IMAGE_BYTES = { least: 70_000, most: 140_000 };

interface LoadRow {
  readonly model: string;
  readonly service: string;
  readonly connections: number;
  readonly load: LoadResult;
  readonly health: LoadResult;
  /** Processor time of the service, seconds. */
  readonly cpuSeconds: number;
  readonly peakBytes: number;
}

interface MemoryRow {
  readonly requests: number;
  readonly load: LoadResult;
  /** Resident bytes by requests answered. */
  readonly resident: readonly { readonly share: number; readonly bytes: number }[];
}

interface Results {
  readonly batches: Record<string, BatchRate[]>;
  readonly loads: LoadRow[];
  memory?: MemoryRow;
  readonly notes: string[];
}

const bench: Bench = { name: "bench:serve", help: HELP, run };

async function run(options: BenchOptions): Promise<void> {
  const machine = await describeMachine("none");
  const parts = select(["squeezenet", "alexnet", "memory"], options.only, (name) => name);
  const images = await photographs();
  const folder = await Deno.makeTempDir({ prefix: "topfive-bench-" });
  const results: Results = { batches: {}, loads: [], notes: [] };
  try {
    for (const part of parts) {
      await (part === "memory"
        ? measureMemory(folder, images, options, results)
        : measureModel(part as ModelName, folder, images, options, results)).catch((error) => {
          if (!(error instanceof NotHere)) throw error;
          results.notes.push(`not here: ${part}: ${error.message}`);
        });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  if (options.json) console.log(JSON.stringify({ machine, ...results }, null, 2));
  else console.log(format(formatMachine(machine), results));
}

/** @throws {Error} where the folder has none. */
async function photographs(): Promise<string[]> {
  const folder = Deno.env.get("TOPFIVE_PHOTOS") ??
    fromFileUrl(new URL("../../../shared/data/imagenet-samples/original", import.meta.url));
  const files = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => join(folder, name));
  const sized = files.sort().filter((file) => {
    const { size } = Deno.statSync(file);
    return size >= IMAGE_BYTES.least && size <= IMAGE_BYTES.most;
  });
  if (sized.length > 0) return sized;
  throw new Error(`Cannot run bench:serve: no photograph of about 100 kB in ${folder}`);
}

async function measureModel(
  name: ModelName,
  folder: string,
  images: readonly string[],
  { quick, python }: BenchOptions,
  results: Results,
): Promise<void> {
  const size = quick ? "quick" : "full";
  const model = await publishForBench(name, folder);
  console.error(`${name}: batches`);
  const { rates, notes } = await batchRates(model, { seconds: BATCH_SECONDS[size], python });
  results.batches[name] = rates;
  results.notes.push(...notes);
  const starts = [() => topfiveService(model), () => fastApiService(model, python)];
  for (const start of starts) {
    try {
      await using service = await start();
      for (const connections of CONNECTIONS) {
        console.error(`${name}: ${service.name}, ${connections} connections`);
        results.loads.push(await underLoad(model, service, images, connections, SECONDS[size]));
      }
    } catch (error) {
      if (!(error instanceof NotHere)) throw error;
      results.notes.push(`not here: ${error.message}`);
    }
  }
}

async function underLoad(
  { name }: BenchModel,
  service: Service,
  images: readonly string[],
  connections: number,
  seconds: number,
): Promise<LoadRow> {
  const { port, pid } = service;
  await using generator = await startLoad();
  await using prober = await startLoad();
  const classify = { port, method: "POST", path: "/v1/classify", images } as const;
  await generator.ask({ ...classify, connections, seconds: seconds / 4 });
  await forgetPeak(pid);
  const before = cpuSeconds(pid);
  const [load, health] = await Promise.all([
    generator.ask({ ...classify, connections, seconds }),
    prober.ask({ port, method: "GET", path: "/healthz", connections: 1, seconds, pauseMs: 2 }),
  ]);
  for (const { failures } of [load, health]) {
    if (Object.keys(failures).length === 0) continue;
    throw new Error(`Cannot count these answers of ${service.name}: ${JSON.stringify(failures)}`);
  }
  const cpu = cpuSeconds(pid) - before;
  const { peak: peakBytes } = await memoryOf(pid);
  return {
    ...{ model: name, service: service.name, connections, load, health },
    ...{ cpuSeconds: cpu, peakBytes },
  };
}

async function measureMemory(
  folder: string,
  images: readonly string[],
  { quick }: BenchOptions,
  results: Results,
): Promise<void> {
  const requests = MANY[quick ? "quick" : "full"];
  await using service = await topfiveService(await publishForBench("alexnet-small", folder));
  await using generator = await startLoad();
  const resident: { share: number; bytes: number }[] = [];
  const loads: LoadResult[] = [];
  for (const [from, share] of [[0, 0.1], [0.1, 0.5], [0.5, 1]] as const) {
    console.error(`memory: ${Math.round(requests * share)} requests`);
    loads.push(
      await generator.ask({
        port: service.port,
        method: "POST",
        path: "/v1/classify",
        connections: 8,
        seconds: LIMIT_SECONDS,
        requests: Math.round(requests * (share - from)),
        images,
      }),
    );
    resident.push({ share, bytes: (await memoryOf(service.pid)).resident });
  }
  const failures = Object.assign({}, ...loads.map((load) => load.failures));
  results.memory = { requests, load: { ...loads.at(-1)!, failures }, resident };
}

async function startLoad() {
  const program = fromFileUrl(import.meta.resolve("./serve/load.ts"));
  const args = ["run", ...DENO_FLAGS, "--allow-net=127.0.0.1", "--allow-read", program];
  const peer = await Peer.start({ program: Deno.execPath(), args });
  return {
    ask: (request: LoadRequest) => peer.ask<LoadResult>(request, LIMIT_SECONDS),
    [Symbol.asyncDispose]: () => peer.close(),
  };
}

function format(head: string[], { batches, loads, memory, notes }: Results): string {
  const tables: string[] = [];
  const all = Object.entries(batches).flatMap(([model, rates]) =>
    rates.map((rate) => ({ model, ...rate }))
  );
  if (all.length > 0) {
    tables.push(formatTable({
      head,
      columns: ["model", "engine", "threads", "batch", "images/s"],
      rows: all.map(({ model, engine, threads, batch, imagesPerSecond }) => [
        ...[model, engine, `${threads}`, `${batch}`, digits(imagesPerSecond)],
      ]),
      notes: [],
    }));
  }
  if (loads.length > 0) tables.push(formatLoads(loads, batches));
  const grown = memory === undefined ? [] : [
    `${memory.requests.toLocaleString("en")} requests, alexnet-small, 8 connections, ` +
    `${digits(memory.load.requests / memory.load.seconds)} a second; resident after ` +
    memory.resident.map(({ share, bytes }) => `${percent(share)} ${digits(bytes / 2 ** 20)} MiB`)
      .join(", "),
    ...(Object.keys(memory.load.failures).length > 0 ? [JSON.stringify(memory.load.failures)] : []),
  ];
  if (all.length === 0) tables.unshift(head.join("\n"));
  return [...tables, [...grown, ...notes].join("\n")].filter(Boolean).join("\n\n");
}

function formatLoads(loads: readonly LoadRow[], batches: Results["batches"]): string {
  return formatTable({
    head: [],
    columns: [
      ...["model", "service", "connections", "p50 ms", "p99 ms", "images/s", "of best batch"],
      ...["CPU ms/image", "healthz p50 ms", "p99 ms", "peak MiB"],
    ],
    rows: loads.map(({ model, service, connections, load, health, cpuSeconds, peakBytes }) => {
      const rate = load.requests / load.seconds;
      const best = Math.max(
        ...(batches[model] ?? []).filter(({ engine }) => engine.startsWith("onnxruntime-web"))
          .map(({ imagesPerSecond }) => imagesPerSecond),
      );
      return [
        ...[model, service, `${connections}`, digits(load.p50), digits(load.p99), digits(rate)],
        ...[percent(rate / best), digits(1000 * cpuSeconds / load.requests)],
        ...[digits(health.p50), digits(health.p99), digits(peakBytes / 2 ** 20)],
      ];
    }),
    notes: [],
  });
}

if (import.meta.main) await runBench(bench, Deno.args);
