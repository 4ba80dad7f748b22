/** Whole networks against PyTorch: logits, every gradient by name, the losses of twenty steps. */
import { assert, assertEquals } from "@std/assert";
import { type Fixture, readFixture } from "../../tests/fixtures/read_fixture.ts";
import { type Gpu, openGpu } from "../gpu/device.ts";
import { Engine } from "../graph/engine.ts";
import { type Graph, multiplyAdds, nodeMultiplyAdds, parameterCount } from "../graph/graph.ts";
import type { ParameterValues } from "../graph/parameters.ts";
import { elementsOf } from "../ops/op.ts";
import { alexnet } from "./alexnet.ts";
import { alexnetGraph } from "./alexnet_layers.ts";
import { alexnetOwt } from "./alexnet_owt.ts";
import { alexnetSmall } from "./alexnet_small.ts";
import { cifar10EighteenPercent } from "./cifar10_18pct.ts";
import { lenet5 } from "./lenet5.ts";

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
  readonly lrn: [number, number, number, number];
}

/** The network of the fixture: `alexnet` with few channels. */
function tinyAlexnet(fixture: Fixture, dropout: number): Graph {
  const spec = fixture.attributes.spec as TinySpec;
  const common = {
    weightInit: { kind: "constant", value: 0 } as const,
    update: {
      bias: {
        rateMultiplier: fixture.attributes.biasRateMultiplier as number,
        decayMultiplier: fixture.attributes.biasDecayMultiplier as number,
      },
    },
  };
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
  const [size, alpha, beta, bias] = spec.lrn;
  return alexnetGraph({
    name: "alexnet-tiny",
    crop: spec.input[1],
    convs: [conv(0), conv(1), conv(2), conv(3), conv(4)],
    dense: [
      { ...common, outputs: spec.hidden[0] },
      { ...common, outputs: spec.hidden[1] },
      { ...common, outputs: spec.classes },
    ],
    lrn: { size, alpha, beta, bias, towers: spec.towers },
    dropout,
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

function engineFor(gpu: Gpu, graph: Graph, batch: number, fixture: Fixture, partSize?: number) {
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

const networks = [
  { name: "lenet5", build: () => lenet5.build(10), parts: [undefined, 2] },
  { name: "cifar10_18pct", build: () => cifar10EighteenPercent.build(10), parts: [undefined, 2] },
  { name: "alexnet_tiny", build: (f: Fixture) => tinyAlexnet(f, 0), parts: [undefined, 2] },
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

interface LayerTable {
  readonly parameters: number;
  readonly multiplyAdds: number;
  readonly layers: readonly {
    readonly name: string;
    readonly output: number[];
    readonly weight: number[];
    readonly parameters: number;
    readonly multiplyAdds: number;
  }[];
}

const published = [
  ["alexnet", alexnet.build(1000)],
  ["alexnet_owt", alexnetOwt.build(1000)],
  ["cifar10_18pct", cifar10EighteenPercent.build(10)],
  ["lenet5", lenet5.build(10)],
] as const;

for (const [name, graph] of published) {
  Deno.test(`${name} has the published layers, parameters and multiply-adds`, async () => {
    const url = new URL(`../../tests/fixtures/${name}_shapes.json`, import.meta.url);
    const table: LayerTable = JSON.parse(await Deno.readTextFile(url));
    const weighted = graph.nodes.filter((node) => node.parameters.length > 0);
    assertEquals(weighted.map((node) => node.name), table.layers.map((layer) => layer.name));
    for (const [index, node] of weighted.entries()) {
      const expected = table.layers[index]!;
      const { channels, height, width } = node.outputs[0]!.shape;
      const output = node.op.type === "Gemm" ? [channels] : [channels, height, width];
      assertEquals(output, expected.output, node.name);
      assertEquals([...node.parameters[0]!.shape], expected.weight, node.name);
      assertEquals(nodeMultiplyAdds(node), expected.multiplyAdds, node.name);
    }
    assertEquals(parameterCount(graph), table.parameters);
    assertEquals(multiplyAdds(graph), table.multiplyAdds);
  });
}

Deno.test("alexnet has 60,965,224 parameters and 724,406,816 multiply-adds", () => {
  assertEquals(parameterCount(alexnet.build(1000)), 60_965_224);
  assertEquals(multiplyAdds(alexnet.build(1000)), 724_406_816);
});

Deno.test("alexnet-owt has torchvision's 61,100,840 parameters and 714.2 M multiply-adds", () => {
  assertEquals(parameterCount(alexnetOwt.build(1000)), 61_100_840);
  assertEquals(multiplyAdds(alexnetOwt.build(1000)), 714_188_480);
});

Deno.test("cifar10-18pct has 89,578 parameters and 12.3 M multiply-adds", () => {
  assertEquals(parameterCount(cifar10EighteenPercent.build(10)), 89_578);
  assertEquals(multiplyAdds(cifar10EighteenPercent.build(10)), 12_298_240);
});

Deno.test("alexnet-small costs about a hundredth of alexnet", () => {
  const share = multiplyAdds(alexnetSmall.build(10)) / multiplyAdds(alexnet.build(1000));
  assert(share < 0.02, `${share}`);
});
