// ./topfive bench scale: how cost grows with the batch and with the parameters.
import { type Gpu, openGpu } from "../../training/gpu/device.ts";
import { multiplyAdds } from "../../training/graph/graph.ts";
import { type Bench, type BenchOptions, runBench, select } from "./bench.ts";
import { describeMachine, formatMachine, type Machine } from "./machine.ts";
import { digits, formatTable, ratio } from "./table.ts";
import { networkOf } from "./training/networks.ts";
import { type Outcome, runTrainer } from "./training/run_trainer.ts";
import type { NetName, StepRequest } from "./training/step_protocol.ts";
import { pytorch, TOPFIVE, type Trainer } from "./training/trainers.ts";

const HELP = `How time and memory grow with the batch and with the parameters

Usage: ./topfive bench scale [options]

First one network at batches of 8 to 256 (alexnet on a card, cifar10-18pct on a software driver), then
alexnet at a quarter, a half, three quarters and all of its channels and hidden units at one batch
(128 on a card, 16 on a software driver). GFLOP/s counts six operations a multiply-add of the forward
pass. "of PyTorch" is our speed in PyTorch's, float32, on CUDA where our adapter is a card and
torch.cuda is there, else on the CPU. Memory is the most that the process had resident and, on a card,
what our plan holds there. --batch N leaves the one batch N in the first part.

Examples
  ./topfive bench scale --quick
  ./topfive bench scale --only batch
  ./topfive bench scale --only width --json`;

const BATCHES = { quick: [8, 32, 128], full: [8, 16, 32, 64, 128, 256] } as const;
const WIDTHS = { quick: [0.25, 0.5], full: [0.25, 0.5, 0.75, 1] } as const;
const SECONDS = { quick: 2, full: 6 } as const;
const LIMIT_SECONDS = 200;

interface Point {
  /** "batch 8 of alexnet" */
  readonly name: string;
  readonly request: StepRequest;
}

interface Row {
  readonly name: string;
  readonly ours: Outcome;
  readonly theirs: Outcome | undefined;
}

const bench: Bench = { name: "bench:scale", help: HELP, run };

async function run(options: BenchOptions): Promise<void> {
  const gpu = await openGpu();
  const { family, description } = gpu;
  gpu.close();
  const machine = await describeMachine(description);
  const points = select(pointsFor(family, options), options.only, ({ name }) => name);
  const rows: Row[] = [];
  const absent: string[] = [];
  let peer: Trainer | undefined;
  const candidates = (family === "software" ? ["cpu"] as const : ["cuda", "cpu"] as const)
    .map((device) => pytorch(options.python, device, "float32"));
  for (const { name, request } of points) {
    console.error(name);
    const ours = await runTrainer(TOPFIVE, request, LIMIT_SECONDS);
    let theirs: Outcome | undefined;
    while ((peer ??= candidates.shift()) !== undefined) {
      theirs = await runTrainer(peer, request, LIMIT_SECONDS);
      if (theirs.greeting !== "") break;
      absent.push(`not here: ${peer.name}: ${theirs.missing}`);
      [peer, theirs] = [undefined, undefined];
    }
    rows.push({ name, ours, theirs });
  }
  const notes = [
    ...absent,
    ...rows.flatMap(({ name, ours, theirs }) =>
      [ours, theirs].flatMap((outcome) =>
        outcome?.missing === undefined
          ? []
          : [`no figure: ${outcome.trainer}, ${name}: ${outcome.missing}`]
      )
    ),
  ];
  if (options.json) console.log(JSON.stringify({ machine, rows, notes }, null, 2));
  else console.log(format(machine, rows, notes));
}

function pointsFor(family: Gpu["family"], { quick, batch }: BenchOptions): Point[] {
  const length = quick ? "quick" : "full";
  const seconds = SECONDS[length];
  const net: NetName = family === "software" ? "cifar10-18pct" : "alexnet";
  const batches = (batch === undefined ? BATCHES[length] : [batch]).map((batch) => ({
    name: `batch ${batch} of ${net}`,
    request: { net, width: 1, batch, seconds },
  }));
  const fixed = family === "software" ? 16 : 128;
  const widths = WIDTHS[length].map((width) => ({
    name: `width ${width} of alexnet`,
    request: { net: "alexnet" as const, width, batch: fixed, seconds },
  }));
  return [...batches, ...widths];
}

function format(machine: Machine, rows: readonly Row[], notes: readonly string[]): string {
  const greetings = [
    ...new Set(rows.flatMap(({ ours, theirs }) => [ours.greeting, theirs?.greeting ?? ""])),
  ];
  const mebibytes = (bytes: number | undefined) =>
    bytes === undefined ? "" : digits(bytes / 2 ** 20);
  return formatTable({
    head: [
      ...formatMachine(machine),
      ...greetings.filter((each) => each !== "").map((each) => `trainer    ${each}`),
    ],
    columns: [
      "what",
      "batch",
      "parameters",
      "images/s",
      "ms a step",
      "GFLOP/s",
      "of PyTorch",
      "resident MiB",
      "device MiB",
      "PyTorch's",
    ],
    rows: rows.map(({ name, ours: { request, result }, theirs }) => {
      const rate = result?.imagesPerSecond;
      const operations = 6 * multiplyAdds(networkOf(request)) / 1e9;
      return [
        name,
        `${request.batch}`,
        result?.parameters.toLocaleString("en"),
        digits(rate) || "none",
        rate && digits(1000 * request.batch / rate),
        rate && digits(operations * rate),
        ratio(rate, theirs?.result?.imagesPerSecond),
        mebibytes(result?.residentBytes),
        mebibytes(result?.deviceBytes),
        mebibytes(theirs?.result?.deviceBytes ?? theirs?.result?.residentBytes),
      ].map((cell) => cell || undefined);
    }),
    notes,
  });
}

if (import.meta.main) await runBench(bench, Deno.args);
