import { dirname, fromFileUrl, join } from "@std/path";
import { SMALL_YOUNG_GENERATION } from "../../../inference/permissions.ts";
import { asVariant } from "../../../shared/variants.ts";
import { NotHere } from "../peer.ts";
import type { Published } from "./networks.ts";
import type { Bucket } from "./s3.ts";

/** What one fresh process took; milliseconds an image, bytes. */
export interface Measured {
  /** Process start to the first answer, the weights in a folder. */
  readonly first: number;
  /** The same with the weights in a bucket of a local server. */
  readonly firstFromBucket?: number;
  readonly batch1: number;
  readonly batch8?: number;
  readonly peak: number;
  readonly steady: number;
}

export interface MeasureOptions {
  readonly variant: string;
  readonly runs: number;
  readonly python: string;
  /** A photograph's file. */
  readonly photo: string;
  readonly bucket: Bucket | undefined;
}

const ROOT = fromFileUrl(new URL("../../../", import.meta.url));
const SECONDS = 240;

/** "lean×2" is the lean engine on two threads. */
function engineOf(name: string): { readonly runtime: string; readonly threads: string } {
  const [runtime, threads = "1"] = name.split("×");
  return { runtime: runtime!, threads };
}

/** An engine of ours in a bare process. */
export async function measureEngine(
  engine: string,
  { store, manifest: { name, version } }: Published,
  { variant, runs, photo, bucket }: MeasureOptions,
): Promise<Measured> {
  const program = fromFileUrl(import.meta.resolve("./process.ts"));
  const { runtime, threads } = engineOf(engine);
  const of = (address: string, env: Record<string, string> = {}): Program => ({
    program: Deno.execPath(),
    args: [
      ...["run", "--allow-all", "--no-check", SMALL_YOUNG_GENERATION, program],
      ...[address, name, version, variant, runtime, threads, photo, String(runs)],
    ],
    env: { MALLOC_ARENA_MAX: "1", ...env },
  });
  const measured = await measureProcess(of(store));
  const first = await medianStart(of(store));
  if (bucket === undefined) return { ...measured, first };
  const firstFromBucket = await medianStart(of(bucket.address, bucket.env));
  return { ...measured, first, firstFromBucket };
}

/** Of five starts, each ended at its first answer: the very first of all compiles what is cached. */
async function medianStart(program: Program): Promise<number> {
  const starts: number[] = [];
  for (let start = 0; start < 5; start++) starts.push(await startOf(program));
  return starts.sort((a, b) => a - b)[2]!;
}

async function startOf(given: Program): Promise<number> {
  const started = performance.now();
  const child = spawn(given);
  let text = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes("first\n")) break;
  }
  const milliseconds = performance.now() - started;
  child.kill("SIGKILL");
  await Promise.all([child.status, child.stderr.cancel()]);
  return milliseconds;
}

/** A peer in Python. */
export async function measurePeer(
  engine: string,
  { store, manifest }: Published,
  { variant, runs, python }: MeasureOptions,
): Promise<Measured> {
  const { weights: { key }, input: { shape } } = asVariant(manifest, variant);
  const program = fromFileUrl(import.meta.resolve("./peers.py"));
  // The peers tell a format by the name's end.
  const path = await Deno.makeTempFile({ suffix: ".onnx" });
  try {
    await Deno.copyFile(join(store, key), path);
    const args = [program, engine, path, String(shape[2]), String(runs)];
    return await measureProcess({ program: python, args });
  } finally {
    await Deno.remove(path);
  }
}

/** The real service, by `topfive try`: with its decoders, over HTTP. */
export async function measureService(
  runtime: string,
  { store, manifest: { name, version } }: Published,
  { variant, runs, photo }: MeasureOptions,
): Promise<Measured> {
  const { stdout, stderr } = await new Deno.Command(join(ROOT, "topfive"), {
    args: [
      ...["try", `${name}@${version}`, "--store", store, "--variant", variant],
      ...["--images", dirname(photo), "--requests", String(runs)],
      ...["--", "--runtime", runtime, "--decoders", "1", "--threads", "1"],
    ],
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  if (stdout.length === 0) throw new NotHere(decode(stderr));
  const report = JSON.parse(decode(stdout));
  if (!report.passed) throw new NotHere(report.reason);
  return {
    first: report.firstAnswerMs,
    batch1: report.latencyMs.p50,
    peak: report.peakMemory,
    steady: report.steadyMemory,
  };
}

interface Program {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Record<string, string>;
}

function spawn({ program, args, env = {} }: Program): Deno.ChildProcess {
  try {
    return new Deno.Command(program, {
      args: [...args],
      env,
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    throw new NotHere(`cannot start ${program}: ${(error as Error).message}`);
  }
}

async function measureProcess(given: Program): Promise<Measured> {
  const started = performance.now();
  const child = spawn(given);
  const timer = setTimeout(() => child.kill("SIGKILL"), SECONDS * 1000);
  const complaints = new Response(child.stderr).text();
  let [text, first] = ["", 0];
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (first === 0 && text.includes("first\n")) first = performance.now() - started;
  }
  clearTimeout(timer);
  const { success } = await child.status;
  if (!success) {
    const said = (await complaints).trim().split("\n");
    throw new NotHere(said.findLast((line) => /error/i.test(line)) ?? "it ended without a word");
  }
  return { first, ...JSON.parse(text.trim().split("\n").at(-1)!) };
}
