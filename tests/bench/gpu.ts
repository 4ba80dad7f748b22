// ./topfive bench gpu: everything about one real card in one command.
import { openGpu } from "../../training/gpu/device.ts";
import { type Bench, type BenchOptions, runBench } from "./bench.ts";
import { DENO_FLAGS, ROOT } from "./deno_program.ts";
import { filesToCarry } from "./files_to_carry.ts";

const HELP = `Everything about a real card in one command of at most ten minutes

Usage: ./topfive bench gpu [options]
       ./topfive bench gpu --files

First the tests of training/ on this adapter; a failure ends it, because the speed of a wrong kernel
means nothing. Then bench:kernels, bench:train and bench:scale, quick, each with what is left of the
time. Tables go to standard output, progress to standard error.

  --files         lists what a machine without network needs, and how to bring it there

Examples
  ./topfive bench gpu | tee card.txt
  ./topfive bench gpu --python .venv/bin/python`;

const TOTAL_SECONDS = 590;
/** Parts in their order, each with the most it may take. */
const PARTS = [
  { name: "tests", seconds: 200 },
  { name: "kernels", seconds: 150 },
  { name: "train", seconds: 200 },
  { name: "scale", seconds: 150 },
] as const;
type Part = typeof PARTS[number];

const bench: Bench = { name: "bench:gpu", help: HELP, run };

async function run(options: BenchOptions): Promise<void> {
  const gpu = await openGpu();
  const { description, family } = gpu;
  gpu.close();
  console.log(`bench:gpu on ${description}`);
  if (family === "software") console.log("This is no card: the figures are the processor's.");
  const end = performance.now() + 1000 * TOTAL_SECONDS;
  for (const part of PARTS) {
    const left = (end - performance.now()) / 1000;
    console.log(`\n== ${part.name} ==`);
    const seconds = Math.min(part.seconds, left);
    if (seconds < 10) {
      console.log("not run: the time is over");
      continue;
    }
    const { success, timedOut } = await runPart(part, options, seconds);
    if (timedOut) console.log(`stopped after ${Math.round(seconds)} s`);
    if (part.name === "tests" && !success) {
      throw new Error(
        timedOut
          ? "Cannot go on to the speed: the tests did not end in time"
          : "Cannot go on to the speed: tests fail on this adapter",
      );
    }
    if (!success) Deno.exitCode = 1;
  }
}

async function runPart(part: Part, { python }: BenchOptions, seconds: number) {
  const args = part.name === "tests"
    ? ["test", ...DENO_FLAGS, "--allow-all", "--quiet", "training"]
    : [
      ...["run", ...DENO_FLAGS, "--allow-all", "--quiet", `tests/bench/${part.name}.ts`],
      ...["--quick", "--python", python],
    ];
  const child = new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    stdin: "null",
    env: { NO_COLOR: "1" },
  }).spawn();
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill("SIGTERM");
  }, seconds * 1000);
  const { success } = await child.status;
  clearTimeout(timer);
  return { success: success && !timedOut, timedOut };
}

if (import.meta.main) {
  if (Deno.args.includes("--files")) console.log(await filesToCarry());
  else await runBench(bench, Deno.args);
}
