/**
 * Cold starts and the answers of one core, measured on real processes and a real S3 server. In seconds
 * of processor time, not by the clock: what a core of one's own needs, whoever else is at work.
 */
import { dirname, fromFileUrl, join } from "@std/path";
import { SMALL_YOUNG_GENERATION } from "../../../inference/permissions.ts";
import { bundleService } from "../../../infra/bundle/bundle.ts";
import { CACHE, warmBundle } from "../../../infra/bundle/warm.ts";
import type { ColdStart } from "../../../infra/scaling/cold_starts.ts";
import type { Capacity } from "../../../infra/scaling/prices.ts";
import { startFaultProxy } from "../../object_store/fault_proxy.ts";
import { openTestBucket } from "../../object_store/open_test_bucket.ts";
import { openPort } from "../../object_store/port.ts";
import { hasS3Server, S3_SECRET, S3_USER, S3Server } from "../../object_store/s3_server.ts";
import { topfive } from "../../topfive_process.ts";
import { NotHere } from "../peer.ts";
import { publishForBench } from "../serve/models.ts";
import { median } from "../../../training/profile/median.ts";
import { cpuSeconds, memoryOf } from "../process_use.ts";

const PHOTOS = fromFileUrl(
  new URL("../../../../shared/data/imagenet-samples/original", import.meta.url),
);
const START_MS = 60_000;
const ANSWERS = 100;
/** Enough that the one core never waits for a question. */
const CONNECTIONS = 4;

/** By model and form. */
export interface Measured {
  readonly starts: Record<string, ColdStart>;
  readonly capacities: Record<string, Capacity>;
}

/** @throws {NotHere} where the S3 server is missing. */
export async function measure(runs: number): Promise<Measured> {
  if (!hasS3Server) throw new NotHere("no S3 server (./topfive test builds it, with Go)");
  const photographs = await readPhotographs();
  const photograph = photographs[0]!;
  const folder = await Deno.makeTempDir({ prefix: "topfive-bench-" });
  try {
    const { store } = await publishForBench("alexnet", folder);
    console.error("alexnet: compressing to int8");
    const calibration = join(folder, "photographs");
    await Deno.mkdir(calibration);
    for (const [index, bytes] of photographs.entries()) {
      await Deno.writeFile(join(calibration, `${index}.jpg`), bytes);
    }
    const compress = ["compress", "alexnet", "--store", store, "--for", "edge", "--forms", "int8"];
    // Random weights answer at random: what they lose says nothing.
    await topfive(".", ...compress, "--images", calibration, "--max-loss", "100", "--no-cost");
    await bundleService(join(folder, "bundle"));
    await warmBundle(join(folder, "bundle"));
    await using server = await S3Server.start("models");
    for (const [name, value] of Object.entries(CREDENTIALS)) Deno.env.set(name, value);
    await topfive(".", "models", "copy", "--store", store, "--to", addressOf(server.endpoint));
    const script = join(folder, "bundle/topfive.js");
    const starts: Measured["starts"] = {};
    const capacities: Measured["capacities"] = {};
    for (
      const [form, args] of [
        ["float32", ["--variant", "original"]],
        ["int8", ["--variant", "int8"]],
      ] as const
    ) {
      console.error(`alexnet ${form}: ${runs} cold starts`);
      const given = { script, server, args, runs, photograph };
      starts[`alexnet ${form}`] = await measureForm(given);
      capacities[`alexnet ${form}`] = await measureCapacity(given);
    }
    return { starts, capacities };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const CREDENTIALS = { AWS_ACCESS_KEY_ID: S3_USER, AWS_SECRET_ACCESS_KEY: S3_SECRET };
const addressOf = (endpoint: string) => `s3://models?endpoint=${endpoint}`;

interface FormRun {
  readonly script: string;
  readonly server: S3Server;
  readonly args: readonly string[];
  readonly runs: number;
  readonly photograph: Uint8Array<ArrayBuffer>;
}

async function measureForm(given: FormRun): Promise<ColdStart> {
  const { server, runs } = given;
  // Once through a proxy that sees the requests; reading through it costs the service nothing more.
  const started: { pid?: number; beforeStore?: number } = {};
  await using proxy = await startFaultProxy(server.endpoint, () => {
    if (started.pid !== undefined) started.beforeStore ??= cpuSeconds(started.pid);
    return "none";
  });
  const service = launch(given, proxy.endpoint);
  started.pid = service.pid;
  await service.ready();
  await service.end();
  const beforeStore = started.beforeStore!;
  const keys = proxy.log.map(({ request }) => request.replace(/^\w+ \/models\//, ""));
  const blob = keys.find((key) => key.startsWith("blobs/"))!;
  const whole: number[] = [];
  for (let index = 0; index < runs; index++) whole.push(await coldStart(given));
  return {
    beforeStore: round(beforeStore),
    requests: keys.filter((key) => !key.startsWith("blobs/")).length,
    weightsBytes: (await openTestBucket(server.endpoint).head(blob))!.byteLength,
    afterStore: round(median(whole) - beforeStore),
  };
}

/** Processor seconds of one start, until its first image is answered. */
async function coldStart(given: FormRun): Promise<number> {
  await using service = launch(given, given.server.endpoint);
  await service.ready();
  await service.classify(given.photograph);
  return cpuSeconds(service.pid);
}

/** What one core answers, by the processor time of some answers; and the most memory meanwhile. */
async function measureCapacity(given: FormRun): Promise<Capacity> {
  const { server, photograph } = given;
  const args = [...given.args, "--cache", "0"];
  await using service = launch({ ...given, args }, server.endpoint, ["taskset", "--cpu-list", "0"]);
  await service.ready();
  const ask = async () => {
    for (let index = 0; index < ANSWERS / CONNECTIONS; index++) await service.classify(photograph);
  };
  await ask();
  const before = cpuSeconds(service.pid);
  await Promise.all(Array.from({ length: CONNECTIONS }, ask));
  const seconds = cpuSeconds(service.pid) - before;
  const { peak } = await memoryOf(service.pid);
  return { answersPerSecond: round(ANSWERS / seconds), peakBytes: peak };
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

interface StartedService extends AsyncDisposable {
  readonly pid: number;
  /** Resolves when a model is loaded. */
  ready(): Promise<void>;
  classify(image: Uint8Array<ArrayBuffer>): Promise<void>;
  end(): Promise<void>;
}

/** Starts the bundled service; `prefix` is a command that starts it. */
function launch(
  { script, args }: Pick<FormRun, "script" | "args">,
  endpoint: string,
  prefix: readonly string[] = [],
): StartedService {
  const port = openPort();
  const [command, ...rest] = [
    ...prefix,
    ...["deno", "run", "--allow-all", "--no-config", "--no-npm", "--unstable-no-legacy-abort"],
    ...[
      SMALL_YOUNG_GENERATION,
      script,
      "--store",
      addressOf(endpoint),
      "--port",
      String(port),
      "--poll",
      "0",
      "--json",
    ],
    ...args,
  ];
  const child = new Deno.Command(command!, {
    args: rest,
    env: { ...CREDENTIALS, MALLOC_ARENA_MAX: "1", DENO_DIR: join(dirname(script), CACHE) },
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  let running = true;
  void child.status.then(() => running = false);
  const end = async () => {
    if (running) child.kill("SIGTERM");
    await child.status;
  };
  const url = `http://127.0.0.1:${port}`;
  return {
    pid: child.pid,
    async ready() {
      const deadline = performance.now() + START_MS;
      while (running && !await ok(fetch(`${url}/readyz`))) {
        if (performance.now() > deadline) child.kill("SIGKILL");
        await new Promise((done) => setTimeout(done, 5));
      }
      if (!running) throw new Error("Cannot measure: the service was never ready");
    },
    async classify(body) {
      if (await ok(fetch(`${url}/v1/classify`, { method: "POST", body }))) return;
      throw new Error("Cannot measure: an image was not answered");
    },
    end,
    [Symbol.asyncDispose]: end,
  };
}

async function ok(answer: Promise<Response>): Promise<boolean> {
  const response = await answer.catch(() => undefined);
  await response?.body?.cancel();
  return response?.ok ?? false;
}

/** A few JPEGs of about 100 kB. */
async function readPhotographs(): Promise<Uint8Array<ArrayBuffer>[]> {
  const found: Uint8Array<ArrayBuffer>[] = [];
  try {
    for await (const { name } of Deno.readDir(PHOTOS)) {
      const file = join(PHOTOS, name);
      const { size } = await Deno.stat(file);
      if (size > 70_000 && size < 140_000) found.push(await Deno.readFile(file));
      if (found.length === 4) return found;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  throw new Error(`Cannot run bench:coldstarts: no photographs of about 100 kB in ${PHOTOS}`);
}
