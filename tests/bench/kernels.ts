// ./topfive bench kernels: every convolution and fully connected layer in three directions.
import { type Gpu, openGpu } from "../../training/gpu/device.ts";
import { layOutParameters } from "../../training/graph/parameters.ts";
import { largestPart } from "../../training/graph/part_size.ts";
import { measurePeak, type Peak } from "../../training/profile/peak.ts";
import { loadTiles } from "../../training/tuner/load_tiles.ts";
import { type Bench, type BenchOptions, runBench, select } from "./bench.ts";
import { checkDirection, WrongResult } from "./kernels/check.ts";
import { GpuTimer, type TimerOptions } from "./kernels/gpu_timer.ts";
import { type Direction, DIRECTIONS, LayerRun } from "./kernels/layer_run.ts";
import { benchLayers, type Layer } from "./kernels/layers.ts";
import { measureRegisterPeak } from "./kernels/register_peak.ts";
import { describeMachine, formatMachine, type Machine } from "./machine.ts";
import { NotHere, Peer } from "./peer.ts";
import { digits, formatTable, percent, ratio } from "./table.ts";

const HELP = `Speed of every convolution and fully connected layer, direction by direction

Usage: ./topfive bench kernels [options]

The layers of alexnet (grouped), alexnet-owt and cifar10-18pct at batch 128 and 16; the first layer of
a network never computes the gradient of its input. A cell is GFLOP/s, its share of this adapter's
best square product, and how many times PyTorch's speed it is: PyTorch on CUDA where our adapter is a
card and torch.cuda is there, else on the CPU, float32, the faster of its two layouts. grad-weight
includes the bias. Medians; a dozen numbers of each result are checked in float64 before it counts.
On a software driver batch 128 takes seconds a layer: about five minutes in all.

Examples
  ./topfive bench kernels --quick
  ./topfive bench kernels --only conv2 --batch 16
  TOPFIVE_PYTHON=.venv/bin/python ./topfive bench kernels --json > kernels.json`;

const BATCHES = [128, 16];
const PEER_SECONDS = 300;

interface Figure {
  readonly gflops: number;
  readonly milliseconds: number;
  readonly pytorchGflops: number | undefined;
}

interface Row {
  readonly layer: string;
  readonly batch: number;
  /** Images at a time, as the engine works on this network where it cannot bind a whole batch. */
  readonly part: number;
  /** Of the network that `topfive tune` measured. */
  readonly tiles: number;
  /** Undefined where the result was wrong, absent where the direction is not needed. */
  readonly figures: { [Name in Direction]?: Figure | undefined };
}

const bench: Bench = { name: "bench:kernels", help: HELP, run };

async function run(options: BenchOptions): Promise<void> {
  const layers = select(benchLayers(), options.only, ({ name }) => name);
  const gpu = await openGpu();
  const timer = new GpuTimer(gpu);
  const machine = await describeMachine(gpu.description);
  const notes = [`clock: ${timer.clock}`];
  const peer = await startPyTorch(gpu, options, notes);
  try {
    // Before and after the layers, each thrice, the best: others on the machine only slow it down.
    const registers = await measureRegisterPeak(gpu, timer);
    const peaks = [await measurePeak(gpu), await measurePeak(gpu), await measurePeak(gpu)];
    const rows: Row[] = [];
    for (const batch of options.batch === undefined ? BATCHES : [options.batch]) {
      for (const layer of layers) {
        console.error(`${layer.name}, batch ${batch}`);
        rows.push(await measureLayer({ gpu, timer, peer, options, notes }, layer, batch));
      }
    }
    peaks.push(await measurePeak(gpu), await measurePeak(gpu), await measurePeak(gpu));
    const peak = {
      gigaflops: Math.max(...peaks.map(({ gigaflops }) => gigaflops)),
      gigabytes: Math.max(...peaks.map(({ gigabytes }) => gigabytes)),
      registers,
    };
    const tuned = rows.some(({ tiles }) => tiles > 0);
    notes.push(tuned ? "tiles of topfive tune" : "tiles of the cost models (no topfive tune here)");
    if (options.json) {
      console.log(JSON.stringify({ machine, peer: peer?.greeting, peak, rows, notes }, null, 2));
    } else console.log(format(machine, peer, peak, rows, notes));
  } finally {
    await peer?.close();
    timer.close();
    gpu.close();
  }
}

/** On a card 20 ms hold hundreds of short kernels; on the CPU one run of a large layer is longer. */
function timing({ family }: Gpu, { quick }: BenchOptions): TimerOptions {
  if (family === "software") {
    return quick ? { runs: 2, milliseconds: 5 } : { runs: 5, milliseconds: 50 };
  }
  return quick ? { runs: 3, milliseconds: 5 } : { runs: 7, milliseconds: 20 };
}

async function startPyTorch(
  { family }: Gpu,
  { python }: BenchOptions,
  notes: string[],
): Promise<Peer | undefined> {
  const script = new URL("./pytorch/kernels.py", import.meta.url).pathname;
  for (const device of family === "software" ? ["cpu"] : ["cuda", "cpu"]) {
    try {
      return await Peer.start({ program: python, args: [script, device] });
    } catch (error) {
      if (!(error instanceof NotHere)) throw error;
      notes.push(`PyTorch (${device}) not here: ${error.message}`);
    }
  }
}

interface Tools {
  readonly gpu: Gpu;
  readonly timer: GpuTimer;
  readonly peer: Peer | undefined;
  readonly options: BenchOptions;
  readonly notes: string[];
}

async function measureLayer(tools: Tools, layer: Layer, batch: number): Promise<Row> {
  const { gpu, timer, options } = tools;
  const { graph } = layer;
  const part = largestPart(graph, layOutParameters(graph), batch, gpu);
  const tiles = await loadTiles(gpu, graph, batch);
  const figures: Row["figures"] = {};
  const run = await LayerRun.create(gpu, layer, part, tiles);
  try {
    for (const direction of DIRECTIONS) {
      if (layer.first && direction === "grad-input") continue;
      const milliseconds = await timer.time(run.dispatches(direction), timing(gpu, options));
      if (!await isRight(tools, run, direction)) {
        figures[direction] = undefined;
        continue;
      }
      const theirs = await askPyTorch(tools, layer, batch, direction);
      const operations = 2 * layer.multiplyAdds / 1e6;
      figures[direction] = {
        milliseconds,
        gflops: operations * part / milliseconds,
        pytorchGflops: theirs && operations * batch / theirs,
      };
    }
  } finally {
    run.close();
  }
  return { layer: layer.name, batch, part, tiles: tiles.size, figures };
}

/** A wrong kernel has no speed, is named below the table and fails the bench; the others go on. */
async function isRight({ notes }: Tools, run: LayerRun, direction: Direction): Promise<boolean> {
  try {
    await checkDirection(run, direction);
    return true;
  } catch (error) {
    if (!(error instanceof WrongResult)) throw error;
    notes.push(`WRONG, batch ${run.batch}: ${error.message}`);
    Deno.exitCode = 1;
    return false;
  }
}

async function askPyTorch(
  { gpu, peer, options, notes }: Tools,
  layer: Layer,
  batch: number,
  direction: Direction,
): Promise<number | undefined> {
  if (!peer) return undefined;
  const { kind, kernel, strides, pads, group, name } = layer;
  const shape = ({ channels, height, width }: Layer["input"]) => [channels, height, width];
  const request = {
    ...{ kind, kernel, strides, pads, group, batch, direction, ...timing(gpu, options) },
    input: shape(layer.input),
    output: shape(layer.output),
    device: / cuda,/.test(peer.greeting) ? "cuda" : "cpu",
  };
  try {
    return await peer.ask<number>(request, PEER_SECONDS);
  } catch (error) {
    if (!(error instanceof NotHere)) throw error;
    notes.push(`PyTorch, ${name}, batch ${batch}, ${direction}: ${error.message}`);
  }
}

function format(
  machine: Machine,
  peer: Peer | undefined,
  peak: Peak & { readonly registers: number },
  rows: readonly Row[],
  notes: readonly string[],
): string {
  const head = [
    ...formatMachine(machine),
    `beside     ${peer?.greeting ?? "nobody"}`,
    `peak       ${digits(peak.gigaflops)} GFLOP/s in a square product ("peak" below), ` +
    `${digits(peak.registers)} in registers alone; copy ${digits(peak.gigabytes)} GB/s`,
  ];
  const columns = [
    "layer",
    "batch",
    ...DIRECTIONS.flatMap((direction) => [direction, "peak", "of PyTorch"]),
  ];
  const cells = rows.map(({ layer, batch, part, figures }) => [
    layer,
    part === batch ? `${batch}` : `${batch / part} x ${part}`,
    ...DIRECTIONS.flatMap((direction) => {
      const figure = figures[direction];
      if (!figure) return [direction in figures ? "wrong" : "-", "", ""];
      const { gflops, pytorchGflops } = figure;
      return [digits(gflops), percent(gflops / peak.gigaflops), ratio(gflops, pytorchGflops)];
    }),
  ]);
  return formatTable({ head, columns, rows: cells, notes });
}

if (import.meta.main) await runBench(bench, Deno.args);
