// jax-js on this adapter: LeNet-5 and the CIFAR net. Not of this project's packages: fetched when run.
import { answerRequests } from "../answer_requests.ts";
import {
  INPUTS,
  LEARNING_RATE,
  type NetName,
  noiseBatch,
  peakResidentBytes,
  stepRate,
  type StepRequest,
  type StepResult,
} from "./step_protocol.ts";

const VERSION = "0.1.25";

/** An array that one use consumes; `ref` counts one more. Only what is used here. */
interface Value {
  readonly ref: Value;
  readonly shape: number[];
  add(other: Value | number): Value;
  sub(other: Value | number): Value;
  mul(other: Value | number): Value;
  div(other: Value | number): Value;
  reshape(shape: number[]): Value;
  transpose(): Value;
  data(): Promise<Float32Array>;
}
type Weights = Record<string, Value>;
type Pairs = readonly (readonly [number, number])[];

interface Jax {
  init(device: string): Promise<string[]>;
  defaultDevice(device: string): void;
  jit<F>(f: F): F;
  valueAndGrad<F extends (...args: never[]) => Value>(
    f: F,
  ): (...args: Parameters<F>) => [Value, Weights];
  tree: { map(f: (...leaves: Value[]) => Value, ...trees: Weights[]): Weights };
  blockUntilReady(values: unknown): Promise<unknown>;
  lax: {
    conv(x: Value, weight: Value, strides: number[], padding: Pairs): Value;
    reduceWindow(
      x: Value,
      reduce: (x: Value) => Value,
      window: number[],
      strides: number[],
    ): Value;
  };
  nn: {
    relu(x: Value): Value;
    logSoftmax(x: Value, axis: number): Value;
    oneHot(labels: Value, classes: number): Value;
  };
  numpy: {
    array(data: Float32Array | Int32Array, options?: { shape: number[] }): Value;
    zerosLike(x: Value): Value;
    dot(x: Value, y: Value): Value;
    pad(x: Value, width: Pairs): Value;
    max(x: Value): Value;
    sum(x: Value, axis?: number): Value;
    sqrt(x: Value): Value;
  };
}

const specifier = `npm:@jax-js/jax@${VERSION}`;
let jax: Jax;
try {
  jax = await import(specifier);
  if (!(await jax.init("webgpu")).includes("webgpu")) throw new Error("it finds no WebGPU adapter");
  jax.defaultDevice("webgpu");
} catch (error) {
  console.log(JSON.stringify({ notHere: `jax-js ${VERSION}: ${(error as Error).message}` }));
  Deno.exit(0);
}

async function measure({ net, batch, seconds }: StepRequest): Promise<StepResult> {
  const { numpy: np, nn } = jax;
  const [side, channels, classes] = INPUTS[net];
  const forward = networks[net];
  if (!forward) throw new Error(`${net} is not written for it: fc6 is more than it can bind`);
  const { images, labels } = noiseBatch(net, batch);
  const x = np.array(images, { shape: [batch, channels, side, side] });
  const y = nn.oneHot(np.array(labels), classes);
  let weights = initialWeights(net);
  let velocities = jax.tree.map((w) => np.zerosLike(w.ref), weights);
  const parameters = Object.values(weights).reduce(
    (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
    0,
  );
  const lossOf = (w: Weights, x: Value, y: Value) =>
    np.sum(nn.logSoftmax(forward(w, x), 1).mul(y)).mul(-1 / batch);
  const step = jax.jit((w: Weights, v: Weights, x: Value, y: Value): [Value, Weights, Weights] => {
    const kept = jax.tree.map((w) => w.ref, w);
    const [loss, gradients] = jax.valueAndGrad(lossOf)(w, x, y);
    const velocities = jax.tree.map((v, g) => v.mul(0.9).sub(g.mul(LEARNING_RATE)), v, gradients);
    const updated = jax.tree.map((w, v) => w.add(v.ref), kept, velocities);
    return [loss, updated, velocities];
  });
  const losses: number[] = [];
  const train = async (count: number) => {
    let loss: Value | undefined;
    for (let i = 0; i < count; i++) {
      [loss, weights, velocities] = step(weights, velocities, x.ref, y.ref);
      // It has no other way to wait, and steps that queue up without end use up the memory.
      if (i % 8 === 7) await jax.blockUntilReady(weights);
    }
    await jax.blockUntilReady(weights);
    losses.push((await loss!.data())[0]!);
  };
  // It compiles its kernels as they are first used.
  await train(1);
  const { imagesPerSecond, steps } = await stepRate({ batch, seconds }, train);
  return {
    imagesPerSecond,
    steps,
    parameters,
    firstLoss: losses[0]!,
    lastLoss: losses.at(-1)!,
    residentBytes: await peakResidentBytes(),
  };
}

/** Weights by He's rule from a fixed sequence, biases zero: shapes in ONNX's layout. */
function initialWeights(net: NetName): Weights {
  const shapes: Record<string, number[]> = net === "lenet5"
    ? {
      ...{ c1: [6, 1, 5, 5], b1: [6, 1, 1], c2: [16, 6, 5, 5], b2: [16, 1, 1] },
      ...{ f1: [120, 400], d1: [120], f2: [84, 120], d2: [84], f3: [10, 84], d3: [10] },
    }
    : {
      ...{ c1: [32, 3, 5, 5], b1: [32, 1, 1], c2: [32, 32, 5, 5], b2: [32, 1, 1] },
      ...{ c3: [64, 32, 5, 5], b3: [64, 1, 1], f1: [10, 1024], d1: [10] },
    };
  let state = 1;
  const next = () => (state = Math.imul(state, 1664525) + 1013904223 >>> 0) / 2 ** 31 - 1;
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const length = shape.reduce((product, size) => product * size, 1);
      const scale = /^[bd]/.test(name) ? 0 : Math.sqrt(6 * shape[0]! / length);
      return [
        name,
        jax.numpy.array(Float32Array.from({ length }, () => scale * next()), { shape }),
      ];
    }),
  );
}

const networks: Partial<Record<NetName, (w: Weights, x: Value) => Value>> = {
  lenet5: (w, x) => {
    const { nn: { relu } } = jax;
    x = maxPool(relu(conv(x, w.c1!, w.b1!, 2)), 2, 0);
    x = maxPool(relu(conv(x, w.c2!, w.b2!, 0)), 2, 0);
    x = relu(dense(x.reshape([-1, 400]), w.f1!, w.d1!));
    return dense(relu(dense(x, w.f2!, w.d2!)), w.f3!, w.d3!);
  },
  "cifar10-18pct": (w, x) => {
    const { nn: { relu } } = jax;
    x = normalise(relu(maxPool(conv(x, w.c1!, w.b1!, 2), 3, 1)));
    x = normalise(averagePool(relu(conv(x, w.c2!, w.b2!, 2))));
    x = averagePool(relu(conv(x, w.c3!, w.b3!, 2)));
    return dense(x.reshape([-1, 1024]), w.f1!, w.d1!);
  },
};

function conv(x: Value, weight: Value, bias: Value, pad: number): Value {
  return jax.lax.conv(x, weight, [1, 1], [[pad, pad], [pad, pad]]).add(bias);
}

function dense(x: Value, weight: Value, bias: Value): Value {
  return jax.numpy.dot(x, weight.transpose()).add(bias);
}

/** Stride 2. Zeros at the end stand for nothing where what follows is a ReLU. */
function maxPool(x: Value, window: number, endPad: number): Value {
  const { lax, numpy: np } = jax;
  const padded = endPad === 0 ? x : np.pad(x, [[0, 0], [0, 0], [0, endPad], [0, endPad]]);
  return lax.reduceWindow(padded, (w) => np.max(w), [window, window], [2, 2]);
}

/** 3x3, stride 2, sizes rounded up; the last row and column have six places or four. */
function averagePool(x: Value): Value {
  const { lax, numpy: np } = jax;
  const side = x.shape[2]! / 2;
  const along = (i: number) => i === side - 1 ? 2 : 3;
  const shares = Float32Array.from({ length: side * side }, (_, at) => {
    return 1 / (along(at % side) * along(Math.floor(at / side)));
  });
  const padded = np.pad(x, [[0, 0], [0, 0], [0, 1], [0, 1]]);
  const sums = lax.reduceWindow(padded, (w) => np.sum(w), [3, 3], [2, 2]);
  return sums.mul(np.array(shares, { shape: [side, side] }));
}

/** Normalisation over 3x3 places of a map; s^0.75 by two square roots. */
function normalise(x: Value): Value {
  const { lax, numpy: np } = jax;
  const squares = np.pad(x.ref.mul(x.ref), [[0, 0], [0, 0], [1, 1], [1, 1]]);
  const sums = lax.reduceWindow(squares, (w) => np.sum(w), [3, 3], [1, 1]);
  const root = np.sqrt(sums.mul(5e-5 / 9).add(1));
  return x.div(root.ref.mul(np.sqrt(root)));
}

await answerRequests(`jax-js ${VERSION}, WebGPU`, measure);
