// TensorFlow.js on this adapter: LeNet-5 and the CIFAR net. Not of this project's packages: fetched
// when run.
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

const VERSION = "4.22.0";

/** Only what is used here. */
interface Value {
  readonly shape: number[];
  data(): Promise<Float32Array>;
  dispose(): void;
}

interface TensorFlow {
  setBackend(name: string): Promise<boolean>;
  tidy<T>(work: () => T): T;
  tensor(values: Float32Array, shape: number[]): Value;
  tensor1d(values: Int32Array, type: "int32"): Value;
  variable(value: Value): Value;
  train: {
    momentum(rate: number, momentum: number): {
      minimize(loss: () => Value, returnCost: true, variables: Value[]): Value;
    };
  };
  add(a: Value, b: Value): Value;
  mul(a: Value, b: Value): Value;
  div(a: Value, b: Value): Value;
  sqrt(x: Value): Value;
  scalar(value: number): Value;
  relu(x: Value): Value;
  pad(x: Value, pads: [number, number][]): Value;
  slice(x: Value, begin: number[], size: number[]): Value;
  conv2d(x: Value, filter: Value, strides: number, pad: "same" | "valid"): Value;
  maxPool(x: Value, size: number, strides: number, pad: "same" | "valid"): Value;
  avgPool(x: Value, size: number, strides: number, pad: "same" | "valid"): Value;
  matMul(a: Value, b: Value): Value;
  reshape(x: Value, shape: number[]): Value;
  oneHot(labels: Value, classes: number): Value;
  logSoftmax(x: Value): Value;
  sum(x: Value): Value;
  neg(x: Value): Value;
}

let tf: TensorFlow;
try {
  // The whole of it, because the core alone has no gradients.
  const [whole, backend] = ["tfjs", "tfjs-backend-webgpu"].map((name) => {
    return `npm:@tensorflow/${name}@${VERSION}`;
  });
  tf = await import(whole!);
  await import(backend!);
  if (!await tf.setBackend("webgpu")) throw new Error("it finds no WebGPU adapter");
} catch (error) {
  console.log(JSON.stringify({ notHere: `tfjs ${VERSION}: ${(error as Error).message}` }));
  Deno.exit(0);
}

async function measure({ net, batch, seconds }: StepRequest): Promise<StepResult> {
  const [side, channels, classes] = INPUTS[net];
  const forward = networks[net];
  if (!forward) throw new Error(`${net} is not written for it: fc6 is more than it can bind`);
  const { images, labels } = noiseBatch(net, batch);
  // NHWC; the numbers are noise in either order.
  const x = tf.tensor(images, [batch, side, side, channels]);
  const y = tf.oneHot(tf.tensor1d(labels, "int32"), classes);
  const weights = initialWeights(net);
  const parameters = weights.reduce(
    (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
    0,
  );
  const optimizer = tf.train.momentum(LEARNING_RATE, 0.9);
  const lossOf = () => {
    const likelihood = tf.sum(tf.mul(tf.logSoftmax(forward(weights, x)), y));
    return tf.div(tf.neg(likelihood), tf.scalar(batch));
  };
  const losses: number[] = [];
  const train = async (count: number) => {
    let loss: Value | undefined;
    for (let i = 0; i < count; i++) {
      loss?.dispose();
      loss = tf.tidy(() => optimizer.minimize(lossOf, true, weights));
    }
    losses.push((await loss!.data())[0]!);
    loss!.dispose();
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

/** Filters [height, width, in, out] and matrices [in, out] by He's rule, biases zero, alternating. */
function initialWeights(net: NetName): Value[] {
  const shapes = net === "lenet5"
    ? [[5, 5, 1, 6], [6], [5, 5, 6, 16], [16], [400, 120], [120], [120, 84], [84], [84, 10], [10]]
    : [[5, 5, 3, 32], [32], [5, 5, 32, 32], [32], [5, 5, 32, 64], [64], [1024, 10], [10]];
  let state = 1;
  const next = () => (state = Math.imul(state, 1664525) + 1013904223 >>> 0) / 2 ** 31 - 1;
  return shapes.map((shape) => {
    const length = shape.reduce((product, size) => product * size, 1);
    const scale = shape.length === 1 ? 0 : Math.sqrt(6 * shape.at(-1)! / length);
    return tf.variable(tf.tensor(Float32Array.from({ length }, () => scale * next()), shape));
  });
}

const networks: Partial<Record<NetName, (weights: Value[], x: Value) => Value>> = {
  lenet5: (w, x) => {
    x = tf.maxPool(tf.relu(conv(x, w[0]!, w[1]!, "same")), 2, 2, "valid");
    x = tf.maxPool(tf.relu(conv(x, w[2]!, w[3]!, "valid")), 2, 2, "valid");
    x = tf.relu(dense(tf.reshape(x, [-1, 400]), w[4]!, w[5]!));
    return dense(tf.relu(dense(x, w[6]!, w[7]!)), w[8]!, w[9]!);
  },
  // Windows of "same" lie as sizes rounded up do: an even side needs one pixel more at its end.
  "cifar10-18pct": (w, x) => {
    x = normalise(tf.relu(tf.maxPool(conv(x, w[0]!, w[1]!, "same"), 3, 2, "same")));
    x = normalise(tf.avgPool(tf.relu(conv(x, w[2]!, w[3]!, "same")), 3, 2, "same"));
    x = tf.avgPool(tf.relu(conv(x, w[4]!, w[5]!, "same")), 3, 2, "same");
    return dense(tf.reshape(x, [-1, 1024]), w[6]!, w[7]!);
  },
};

function conv(x: Value, filter: Value, bias: Value, pad: "same" | "valid"): Value {
  return tf.add(tf.conv2d(x, filter, 1, pad), bias);
}

function dense(x: Value, weight: Value, bias: Value): Value {
  return tf.add(tf.matMul(x, weight), bias);
}

/** Normalisation over 3x3 places of a map; s^0.75 by two square roots. */
function normalise(x: Value): Value {
  const squares = tf.pad(tf.mul(x, x), [[0, 0], [1, 1], [1, 1], [0, 0]]);
  const means = tf.avgPool(squares, 3, 1, "valid");
  const root = tf.sqrt(tf.add(tf.mul(means, tf.scalar(5e-5)), tf.scalar(1)));
  return tf.div(x, tf.mul(root, tf.sqrt(root)));
}

await answerRequests(`tfjs-backend-webgpu ${VERSION}`, measure);
