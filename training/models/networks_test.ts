/** Whole networks against PyTorch: logits, every gradient by name, the losses of twenty steps. */
import { assert, assertEquals } from "@std/assert";
import { type Fixture, readFixture } from "../../tests/fixtures/read_fixture.ts";
import { type Gpu, openGpu } from "../gpu/device.ts";
import type { Precision } from "../gpu/precision.ts";
import { Engine } from "../graph/engine.ts";
import { type Graph, parameterCount } from "../graph/graph.ts";
import { FIRST_LOSS_SCALE } from "../kernels/loss_scale/loss_scale.ts";
import type { LayerRules, ParameterValues } from "../graph/parameters.ts";
import { elementsOf } from "../ops/op.ts";
import { alexnetGraph } from "./alexnet_layers.ts";
import { cifar10EighteenPercent } from "./cifar10_18pct.ts";
import { localNetGraph } from "./cifar10_local_layers.ts";
import { cifar10Quick } from "./cifar10_quick.ts";
import { lenet5 } from "./lenet5.ts";
import { AS_PUBLISHED, type Variant } from "./variant.ts";

/** float32 against float32 in another order; PyTorch's own distance from float64 is 1e-6. */
const TOLERANCE = 1e-4;

interface TinySpec {
  readonly input: [number, number, number];
  readonly convs: readonly {
    readonly out: number;
    readonly kernel: number;
    readonly stride: number;
    readonly pads: [number, number, number, number];
    readonly group: number;
  }[];
  readonly hidden: [number, number];
  readonly classes: number;
  readonly towers: number;
  readonly lrn: Normalisation;
  readonly same_map: Normalisation | null;
  readonly relu_first: boolean;
  readonly activation: Variant["activation"];
  readonly overlap: boolean;
  readonly apart: boolean;
}

/** Size, alpha, beta, bias. */
type Normalisation = [number, number, number, number];

function normalisation([size, alpha, beta, bias]: Normalisation) {
  return { size, alpha, beta, bias };
}

/** The network of the fixture: `alexnet` or a variant of it with few channels. */
function tinyAlexnet(fixture: Fixture, dropout: number): Graph {
  const spec = fixture.attributes.spec as TinySpec;
  const common = { weightInit: { kind: "constant", value: 0 } as const };
  const conv = (index: number) => {
    const { out, kernel, stride, pads, group } = spec.convs[index]!;
    return {
      ...common,
      outChannels: out,
      kernel: [kernel, kernel] as const,
      strides: [stride, stride] as const,
      pads,
      group,
    };
  };
  const [fc6, fc7] = spec.hidden;
  return alexnetGraph({
    name: "alexnet-tiny",
    crop: spec.input[1],
    convs: [conv(0), conv(1), conv(2), conv(3), conv(4)],
    dense: [
      { ...common, outputs: fc6 },
      { ...common, outputs: fc7 },
      { ...common, outputs: spec.classes },
    ],
    lrn: { ...normalisation(spec.lrn), towers: spec.towers },
    ...spec.same_map ? { sameMapLrn: normalisation(spec.same_map) } : {},
    dropout,
    firstRelu: spec.relu_first ? "before normalisation" : "behind pooling",
    apart: { conv2: spec.convs[1]!.out, fc6, fc7 },
  }, {
    ...AS_PUBLISHED,
    activation: spec.activation,
    overlap: spec.overlap,
    crossTower: !spec.apart,
  });
}

function parametersOf(fixture: Fixture, prefix: string): ParameterValues {
  return new Map(
    [...fixture.tensors].filter(([name]) => name.startsWith(prefix))
      .map(([name, { data }]) => [name.slice(prefix.length), data]),
  );
}

/** max |a - b| / max |b| */
function distance(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  assertEquals(actual.length, expected.length);
  let [difference, largest] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(actual[i]! - expected[i]!));
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return difference / largest;
}

/** |a - b| / |b|, Euclidean */
function distanceOfNorms(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [difference, size] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2;
    size += expected[i]! ** 2;
  }
  return Math.sqrt(difference / size);
}

/** Logits are known up to a shift of each row: log p and the fixture's, both with mean zero. */
function centred(values: ArrayLike<number>, classes: number): Float64Array {
  const rows = Float64Array.from(values);
  for (let start = 0; start < rows.length; start += classes) {
    const row = rows.subarray(start, start + classes);
    const mean = row.reduce((sum, value) => sum + value, 0) / classes;
    row.forEach((value, index) => row[index] = value - mean);
  }
  return rows;
}

/** The fixture's rules in place of the network's own. */
function rulesOf(graph: Graph, { attributes }: Fixture): LayerRules {
  const bias = {
    rateMultiplier: attributes.biasRateMultiplier as number,
    decayMultiplier: attributes.biasDecayMultiplier as number,
  };
  const weight = { rateMultiplier: 1, decayMultiplier: 1 };
  const layers = graph.nodes.filter(({ parameters }) => parameters.length > 0);
  return Object.fromEntries(layers.map(({ name }) => [name, { weight, bias }]));
}

function engineFor(
  gpu: Gpu,
  graph: Graph,
  batch: number,
  fixture: Fixture,
  partSize?: number,
  precision: Precision = "f32",
) {
  const { channels, height } = graph.input.shape;
  return Engine.create(gpu, graph, {
    batch,
    preprocess: {
      side: height,
      crop: height,
      channels: channels as 1 | 3,
      mean: Array(channels).fill(0),
      std: Array(channels).fill(1),
    },
    momentum: fixture.attributes.momentum as number,
    decay: fixture.attributes.decay as number,
    layers: rulesOf(graph, fixture),
    precision,
    ...(partSize === undefined ? {} : { partSize }),
  });
}

function batchOf(fixture: Fixture, graph: Graph, index: number, size: number) {
  const floats = size * elementsOf(graph.input.shape);
  const inputs = fixture.tensors.get("inputs")!.data;
  const labels = fixture.tensors.get("labels")!.data;
  return {
    images: inputs.subarray(index * floats, (index + 1) * floats),
    labels: Uint32Array.from(labels.subarray(index * size, (index + 1) * size)),
  };
}

async function logitsOf(engine: Engine, batch: ReturnType<typeof batchOf>, classes: number) {
  engine.evaluateStep(batch, batch.labels.length);
  const probabilities = await engine.readProbabilities(batch.labels.length);
  return centred(Float64Array.from(probabilities, Math.log), classes);
}

const localTiny = {
  name: "cifar10-local-tiny",
  crop: 12,
  channels: { conv: 16, local: 8 },
  classes: 10,
  lrn: { size: 5, alpha: 0.5, beta: 0.75, bias: 1 },
};

const networks = [
  { name: "lenet5", build: () => lenet5.build(10), parts: [undefined, 2] },
  { name: "cifar10_quick", build: () => cifar10Quick.build(10), parts: [undefined] },
  { name: "cifar10_18pct", build: () => cifar10EighteenPercent.build(10), parts: [undefined] },
  { name: "cifar10_local_tiny", build: () => localNetGraph(localTiny), parts: [undefined, 2] },
  { name: "alexnet_tiny", build: (f: Fixture) => tinyAlexnet(f, 0), parts: [undefined, 2] },
  { name: "alexnet_paper_tiny", build: (f: Fixture) => tinyAlexnet(f, 0), parts: [undefined] },
  { name: "alexnet_variant_tiny", build: (f: Fixture) => tinyAlexnet(f, 0), parts: [undefined] },
];

for (const { name, build, parts } of networks) {
  for (const partSize of parts) {
    const how = partSize === undefined ? "" : ` in parts of ${partSize}`;
    Deno.test(`${name}${how} has PyTorch's logits, gradients and losses of 20 steps`, async () => {
      const fixture = await readFixture(name);
      const { batchSize, batches, rates } = fixture.attributes as {
        batchSize: number;
        batches: number;
        rates: number[];
      };
      const graph = build(fixture);
      assertEquals(parameterCount(graph), fixture.attributes.parameters);
      const gpu = await openGpu();
      const engine = await engineFor(gpu, graph, batchSize, fixture, partSize);
      try {
        engine.loadParameters(parametersOf(fixture, "parameter/"));
        const first = batchOf(fixture, graph, 0, batchSize);
        if (partSize === undefined) {
          const logits = await logitsOf(engine, first, 10);
          const expected = centred(fixture.tensors.get("logits")!.data, 10);
          assert(distance(logits, expected) < TOLERANCE, `logits: ${distance(logits, expected)}`);
        }

        const at = (step: number) => ({ learningRate: rates[step]!, seed: 1, step });
        engine.trainStep(first, at(0), { update: false });
        for (const [parameter, gradient] of await engine.readGradients()) {
          const expected = fixture.tensors.get(`gradient/${parameter}`)!.data;
          const error = distance(gradient, expected);
          assert(error < TOLERANCE, `gradient of ${parameter}: ${error}`);
        }

        await engine.takeTotals();
        const losses = fixture.tensors.get("losses")!.data;
        for (let step = 0; step < losses.length; step++) {
          engine.trainStep(batchOf(fixture, graph, step % batches, batchSize), at(step));
          const { loss, images } = await engine.takeTotals();
          const error = Math.abs(loss / images - losses[step]!) / losses[step]!;
          assert(error < TOLERANCE, `loss of step ${step}: ${error}`);
        }
      } finally {
        engine.close();
        gpu.close();
      }
    });
  }
}

Deno.test("alexnet_tiny in evaluation halves what dropout would have dropped", async () => {
  const fixture = await readFixture("alexnet_tiny");
  const graph = tinyAlexnet(fixture, 0.5);
  const gpu = await openGpu();
  const batchSize = fixture.attributes.batchSize as number;
  const engine = await engineFor(gpu, graph, batchSize, fixture);
  engine.loadParameters(parametersOf(fixture, "parameter/"));
  const logits = await logitsOf(engine, batchOf(fixture, graph, 0, batchSize), 10);
  const error = distance(logits, centred(fixture.tensors.get("testLogits")!.data, 10));
  engine.close();
  gpu.close();
  assert(error < TOLERANCE, `logits: ${error}`);
});

/**
 * float16 against PyTorch's float32. Each layer rounds its result, and its weights, by 2^-11 at most:
 * a dozen such roundings lie between images and logits, and few behind the last kink, the ReLU before
 * the last layer but one. Further down a rounding that carries a number over zero, or past its
 * neighbour in a pooling window, moves the gradients of these batches of few images by percents, and
 * each such step moves the next one: so only the first losses are near.
 */
const ROUNDING = 2 ** -11;
const HALF = { logits: 12 * ROUNDING, last: 4 * ROUNDING, gradients: 0.25, losses: 5 * ROUNDING };
const FIRST_LOSSES = 2;

const IN_HALF = ["lenet5", "cifar10_18pct", "alexnet_tiny"];
for (const { name, build } of networks.filter(({ name }) => IN_HALF.includes(name))) {
  Deno.test(`${name} in float16 is near PyTorch's float32`, async () => {
    const fixture = await readFixture(name);
    const { batchSize, batches, rates } = fixture.attributes as {
      batchSize: number;
      batches: number;
      rates: number[];
    };
    const graph = build(fixture);
    const gpu = await openGpu();
    const engine = await engineFor(gpu, graph, batchSize, fixture, undefined, "f16");
    const last = graph.nodes.findLast(({ parameters }) => parameters.length > 0)!.name;
    try {
      engine.loadParameters(parametersOf(fixture, "parameter/"));
      const first = batchOf(fixture, graph, 0, batchSize);
      const logits = await logitsOf(engine, first, 10);
      const far = distance(logits, centred(fixture.tensors.get("logits")!.data, 10));
      assert(far < HALF.logits, `logits: ${far}`);

      const at = (step: number) => ({ learningRate: rates[step]!, seed: 1, step });
      engine.trainStep(first, at(0), { update: false });
      for (const [parameter, gradient] of await engine.readGradients()) {
        const error = distanceOfNorms(
          gradient,
          fixture.tensors.get(`gradient/${parameter}`)!.data,
        );
        const bound = parameter.startsWith(`${last}.`) ? HALF.last : HALF.gradients;
        assert(error < bound, `gradient of ${parameter}: ${error}`);
      }

      await engine.takeTotals();
      const losses = fixture.tensors.get("losses")!.data.subarray(0, FIRST_LOSSES);
      for (const [step, expected] of losses.entries()) {
        engine.trainStep(batchOf(fixture, graph, step % batches, batchSize), at(step));
        const { loss, images } = await engine.takeTotals();
        const error = Math.abs(loss / images - expected) / expected;
        assert(error < HALF.losses, `loss of step ${step}: ${error}`);
      }
      assertEquals(await engine.readLossScale(), { ...FIRST_LOSS_SCALE, goodSteps: FIRST_LOSSES });
    } finally {
      engine.close();
      gpu.close();
    }
  });
}
