import { fromFileUrl, join } from "@std/path";
import { asVariant } from "../../../shared/variants.ts";
import { NotHere } from "../peer.ts";
import type { Published } from "./networks.ts";

/** What one fresh process took; milliseconds an image, bytes. */
export interface Measured {
  /** Process start to the first answer. */
  readonly first: number;
  readonly batch1: number;
  readonly batch8?: number;
  readonly peak: number;
  readonly steady: number;
}

export interface MeasureOptions {
  readonly variant: string;
  readonly runs: number;
  readonly python: string;
}

const ROOT = fromFileUrl(new URL("../../../", import.meta.url));
const SECONDS = 240;

/** An engine of ours in a bare process. */
export async function measureEngine(
  runtime: string,
  { store, manifest: { name, version } }: Published,
  { variant, runs }: MeasureOptions,
): Promise<Measured> {
  const program = fromFileUrl(import.meta.resolve("./process.ts"));
  const args = [
    "run",
    "--allow-all",
    "--no-check",
    program,
    store,
    name,
    version,
    variant,
    runtime,
  ];
  return await measureProcess(Deno.execPath(), [...args, String(runs)]);
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
    return await measureProcess(python, [program, engine, path, String(shape[2]), String(runs)]);
  } finally {
    await Deno.remove(path);
  }
}

/** The real service, by `topfive try`: with its decoders, over HTTP. */
export async function measureService(
  runtime: string,
  { store, manifest: { name, version } }: Published,
  { variant, runs }: MeasureOptions,
): Promise<Measured> {
  const { stdout, stderr } = await new Deno.Command(join(ROOT, "topfive"), {
    args: [
      ...["try", `${name}@${version}`, "--store", store, "--variant", variant],
      ...["--requests", String(runs), "--", "--runtime", runtime, "--decoders", "1"],
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

async function measureProcess(program: string, args: readonly string[]): Promise<Measured> {
  const started = performance.now();
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, { args: [...args], stdout: "piped", stderr: "piped" })
      .spawn();
  } catch (error) {
    throw new NotHere(`cannot start ${program}: ${(error as Error).message}`);
  }
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
