/** What a trainer, ours or a peer's, is asked for and answers; see ../peer.ts for how. */

export interface StepRequest {
  readonly net: NetName;
  /** Factor on the channels and hidden units of alexnet; 1 is the network itself. */
  readonly width: number;
  readonly batch: number;
  /** About this long, and two looks at the clock at least. */
  readonly seconds: number;
}

export interface StepResult {
  /** Median over stretches of steps, each ended by a loss that has arrived. */
  readonly imagesPerSecond: number;
  readonly steps: number;
  readonly parameters: number;
  /** Mean loss of the batch, which stays the same, at the first and at the last step. */
  readonly firstLoss: number;
  readonly lastLoss: number;
  /** Of `topfive tune`, in use; ours alone. */
  readonly tiles?: number;
  /** Most memory of the process, bytes. */
  readonly residentBytes: number;
  /** Of the device's memory, where it is not the process's own, bytes. */
  readonly deviceBytes?: number;
}

export const NET_NAMES = [
  "alexnet",
  "alexnet-owt",
  "cifar10-18pct",
  "lenet5",
  "alexnet-small",
] as const;
export type NetName = typeof NET_NAMES[number];

/** Pixels a side, channels and classes of a network's input. */
export const INPUTS: Readonly<Record<NetName, readonly [number, 1 | 3, number]>> = {
  alexnet: [224, 3, 1000],
  "alexnet-owt": [224, 3, 1000],
  "cifar10-18pct": [32, 3, 10],
  lenet5: [28, 1, 10],
  "alexnet-small": [64, 3, 10],
};

/** Rate of every peer's updates; momentum 0.9, decay 0.0005. */
export const LEARNING_RATE = 0.001;

/** Runs `train` in stretches until the time is over and gives the median rate of two or more. */
export async function stepRate(
  { batch, seconds }: Pick<StepRequest, "batch" | "seconds">,
  train: (steps: number) => Promise<void>,
): Promise<{ imagesPerSecond: number; steps: number }> {
  const time = async (steps: number) => {
    const start = performance.now();
    await train(steps);
    return (performance.now() - start) / 1000;
  };
  const once = await time(1);
  const stretch = Math.max(1, Math.round(seconds / 5 / once));
  // A step that is a stretch by itself counts at once: trainers arrive here warmed up.
  const rates = stretch === 1 ? [batch / once] : [];
  let spent = once;
  let steps = 1;
  while (spent < seconds || rates.length < 2) {
    const taken = await time(stretch);
    spent += taken;
    steps += stretch;
    rates.push(stretch * batch / taken);
  }
  rates.sort((a, b) => a - b);
  const middle = rates.length / 2;
  const imagesPerSecond = (rates[Math.ceil(middle) - 1]! + rates[Math.floor(middle)]!) / 2;
  return { imagesPerSecond, steps };
}

/** Most resident memory of this process so far, bytes; NaN where the system does not say. */
export async function peakResidentBytes(): Promise<number> {
  try {
    const status = await Deno.readTextFile("/proc/self/status");
    return Number(/^VmHWM:\s*(\d+) kB/m.exec(status)?.[1]) * 1024;
  } catch {
    return Number.NaN;
  }
}

/** Numbers like normalised pixels, the same on every run, and labels. */
export function noiseBatch(
  net: NetName,
  batch: number,
): { images: Float32Array; labels: Int32Array } {
  const [side, channels, classes] = INPUTS[net];
  let state = 1;
  const next = () => (state = Math.imul(state, 1664525) + 1013904223 >>> 0) / 2 ** 32;
  return {
    images: Float32Array.from({ length: batch * channels * side * side }, () => 4 * next() - 2),
    labels: Int32Array.from({ length: batch }, () => Math.floor(next() * classes)),
  };
}
