// ./topfive bench train: whole training steps beside every peer.
import { openGpu } from "../../training/gpu/device.ts";
import { type Bench, type BenchOptions, runBench, select } from "./bench.ts";
import { describeMachine, formatMachine, type Machine } from "./machine.ts";
import { digits, formatTable, ratio } from "./table.ts";
import { type Outcome, runTrainer } from "./training/run_trainer.ts";
import { NET_NAMES, type NetName } from "./training/step_protocol.ts";
import { peers, TOPFIVE, TOPFIVE_F16, type Trainer } from "./training/trainers.ts";

const HELP = `Images a second of whole training steps, beside PyTorch, TensorFlow.js and jax-js

Usage: ./topfive bench train [options]

A step is forward, backward and SGD with momentum on one batch: alexnet (grouped), alexnet-owt and
cifar10-18pct with 128 images, lenet5 with 64, alexnet-small with 32. Each trainer runs in a process of its own, one after
the other. Ours uploads bytes, crops and mirrors in every step, as training does; the peers' batch is
on the device as numbers. "topfive" says how many times a peer's speed ours is. Ours is checked before
it is timed (every parameter has a gradient, and a step takes from the loss what the gradients say);
a trainer whose loss does not move does not count. PyTorch runs on the CPU and, where torch.cuda is,
on CUDA in float32 (TF32 off), TF32 and half precision (autocast). tfjs and jax-js are downloaded when
they run, and have 40 seconds a figure.

Examples
  ./topfive bench train --quick
  ./topfive bench train --only lenet5
  ./topfive bench train --only 'cifar10-18pct topfive' --batch 256`;

const BATCHES: Readonly<Record<NetName, number>> = {
  alexnet: 128,
  "alexnet-owt": 128,
  "cifar10-18pct": 128,
  lenet5: 64,
  "alexnet-small": 32,
};
/** A trainer that has not made its steps by then makes none that anyone would wait for. */
const LIMIT_SECONDS = { quick: 150, full: 300 } as const;
const SECONDS = { quick: 3, full: 10 } as const;

const bench: Bench = { name: "bench:train", help: HELP, run };

async function run({ quick, json, only, python, batch }: BenchOptions): Promise<void> {
  const gpu = await openGpu();
  const machine = await describeMachine(gpu.description);
  gpu.close();
  const length = quick ? "quick" : "full";
  const outcomes: Outcome[] = [];
  const absent = new Map<string, string>();
  for (const { net, trainer } of select(entries(python), only, nameOf)) {
    if (absent.has(trainer.name)) continue;
    const request = { net, width: 1, batch: batch ?? BATCHES[net], seconds: SECONDS[length] };
    console.error(`${net}, batch ${request.batch}: ${trainer.name}`);
    const outcome = await runTrainer(
      trainer,
      request,
      Math.min(LIMIT_SECONDS[length], trainer.limitSeconds ?? Infinity),
    );
    if (outcome.greeting === "") absent.set(trainer.name, outcome.missing ?? "");
    else outcomes.push(outcome);
  }
  const notes = [
    ...[...absent].map(([name, why]) => `not here: ${name}: ${why}`),
    ...outcomes.flatMap(({ trainer, request, missing }) =>
      missing === undefined ? [] : [`no figure: ${trainer}, ${request.net}: ${missing}`]
    ),
    ...outcomes.flatMap(({ request, result }) =>
      result?.tiles ? [`${request.net}: ${result.tiles} tiles of topfive tune`] : []
    ),
    "not written: alexnet for tfjs and jax-js, whose fc6 (151 MB) the software driver does not bind",
  ];
  if (json) console.log(JSON.stringify({ machine, outcomes, notes }, null, 2));
  else console.log(format(machine, outcomes, notes));
}

function entries(python: string): { net: NetName; trainer: Trainer }[] {
  return NET_NAMES.flatMap((net) =>
    [TOPFIVE, TOPFIVE_F16, ...peers(python)]
      .filter(({ nets }) => nets === "all" || nets.includes(net))
      .map((trainer) => ({ net, trainer }))
  );
}

function nameOf({ net, trainer }: { net: NetName; trainer: Trainer }): string {
  return `${net} ${trainer.name}`;
}

function format(machine: Machine, outcomes: readonly Outcome[], notes: readonly string[]): string {
  const rows = outcomes.map(({ trainer, request: { net, batch }, result }) => {
    const own = outcomes.find((each) => each.trainer === TOPFIVE.name && each.request.net === net);
    const ours = own?.result?.imagesPerSecond;
    const isOurs = trainer === TOPFIVE.name;
    return [
      net,
      `${batch}`,
      trainer,
      digits(result?.imagesPerSecond) || "none",
      isOurs ? "" : ratio(ours, result?.imagesPerSecond),
      result && `${result.steps}`,
      result && `${digits(result.firstLoss)} -> ${digits(result.lastLoss)}`,
      result && digits(result.residentBytes / 2 ** 20),
      result?.deviceBytes === undefined ? "" : digits(result.deviceBytes / 2 ** 20),
    ];
  });
  const greetings = [...new Set(outcomes.map(({ greeting }) => greeting))];
  return formatTable({
    head: [...formatMachine(machine), ...greetings.map((greeting) => `trainer    ${greeting}`)],
    columns: [
      "network",
      "batch",
      "trainer",
      "images/s",
      "topfive",
      "steps",
      "loss",
      "resident MiB",
      "device MiB",
    ],
    rows,
    notes,
  });
}

if (import.meta.main) await runBench(bench, Deno.args);
