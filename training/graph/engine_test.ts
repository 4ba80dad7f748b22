import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { type PreprocessSpec, recordToTensor } from "../../shared/image/preprocess.ts";
import { drawCrops } from "../augment/draw.ts";
import { openGpu } from "../gpu/device.ts";
import { conv } from "../ops/conv/conv.ts";
import { dropout } from "../ops/dropout/dropout.ts";
import { flatten } from "../ops/flatten/flatten.ts";
import { gemm } from "../ops/gemm/gemm.ts";
import { fromStorage } from "../ops/layout.ts";
import { imageShape } from "../ops/op.ts";
import { assertClose, randomTensor } from "../ops/op_harness.ts";
import { softmaxCrossEntropy } from "../ops/softmax_cross_entropy/softmax_cross_entropy.ts";
import { sgdReference } from "../optimizers/sgd_reference.ts";
import { Random } from "../random.ts";
import {
  branchingGradients,
  branchingGraph,
  branchingReference,
  CHANNELS,
  CLASSES,
  SIDE,
} from "./branching_graph.ts";
import { Engine } from "./engine.ts";
import type { EngineOptions } from "./engine_options.ts";
import { Graph } from "./graph.ts";
import { initialValues, type ParameterValues } from "./parameters.ts";

const gpu = await openGpu();

const PREPROCESS: PreprocessSpec = {
  side: SIDE,
  crop: SIDE,
  channels: CHANNELS,
  mean: [120, 110, 100],
  std: [60, 50, 40],
};
const BATCH = 6;
const OPTIONS: EngineOptions = { batch: BATCH, preprocess: PREPROCESS, momentum: 0.9, decay: 0.01 };

const images = randomTensor([BATCH, CHANNELS, SIDE, SIDE], 1);
const labels = Array.from({ length: BATCH }, (_, i) => i * 5 % CLASSES);
const batch = { images: Float32Array.from(images.data), labels: Uint32Array.from(labels) };
const at = (step: number) => ({ learningRate: 0.05, seed: 7, step });

async function withEngine<T>(
  options: Partial<EngineOptions>,
  work: (engine: Engine, initial: ParameterValues) => Promise<T>,
  graph: Graph = branchingGraph(),
  target = gpu,
): Promise<T> {
  const engine = await Engine.create(target, graph, { ...OPTIONS, ...options });
  try {
    const initial = initialValues(engine.arena, 5);
    engine.loadParameters(initial);
    return await work(engine, initial);
  } finally {
    engine.close();
  }
}

function gradientsOf(options: Partial<EngineOptions>, target = gpu) {
  return withEngine(
    options,
    async (engine) => {
      engine.trainStep(batch, at(0), { update: false });
      return { gradients: await engine.readGradients(), partSize: engine.partSize };
    },
    branchingGraph(),
    target,
  );
}

Deno.test("Engine's gradients add up where tensors fan out", async () => {
  await withEngine({}, async (engine, initial) => {
    engine.trainStep(batch, at(0), { update: false });
    const gradients = await engine.readGradients();
    for (const [name, expected] of branchingGradients(initial, images, labels)) {
      assertClose(gradients.get(name)!, expected, { message: name });
    }
    assertEquals(await engine.readParameters(), initial);
  });
});

Deno.test("Engine evaluates as the reference does, and leaves padding images out", async () => {
  await withEngine({}, async (engine, initial) => {
    engine.evaluateStep(batch, BATCH);
    const { probabilities, losses } = branchingReference(initial, images, labels);
    assertClose(await engine.readProbabilities(BATCH), probabilities);
    engine.evaluateStep(batch, 2);
    const counted = [...losses, ...losses.slice(0, 2)];
    const totals = await engine.takeTotals();
    const sum = (key: "loss" | "top1Error" | "top5Error") =>
      counted.reduce((sum, own) => sum + own[key], 0);
    assertClose([totals.loss], [sum("loss")]);
    assertEquals(totals.top1Errors, sum("top1Error"));
    assertEquals(totals.top5Errors, sum("top5Error"));
    assertEquals(totals.images, BATCH + 2);
    assertEquals((await engine.takeTotals()).images, 0);
  });
});

Deno.test("Engine makes the update of AlexNet's paper, biases at their own rate", async () => {
  await withEngine({}, async (engine, initial) => {
    engine.trainStep(batch, at(0));
    const [gradients, first, momenta] = [
      await engine.readGradients(),
      await engine.readParameters(),
      await engine.readMomenta(),
    ];
    engine.trainStep(batch, at(1), { update: false });
    const later = await engine.readGradients();
    engine.trainStep(batch, at(1));
    const second = await engine.readParameters();
    for (const [name, values] of initial) {
      const bias = name.endsWith("bias");
      const settings = { rate: bias ? 0.1 : 0.05, momentum: 0.9, decay: bias ? 0 : 0.01 };
      const start = {
        weights: Float64Array.from(values),
        momenta: new Float64Array(values.length),
      };
      const one = sgdReference(start, gradients.get(name)!, settings);
      const two = sgdReference(one, later.get(name)!, settings);
      assertClose(first.get(name)!, one.weights, { relative: 1e-6, message: name });
      assertClose(momenta.get(name)!, one.momenta, { relative: 1e-6, message: name });
      assertClose(second.get(name)!, two.weights, { relative: 1e-6, message: name });
    }
  });
});

for (const partSize of [1, 2, 3]) {
  Deno.test(`Engine in parts of ${partSize} equals the whole batch`, async () => {
    const [whole, parts] = [await gradientsOf({}), await gradientsOf({ partSize })];
    assertEquals([whole.partSize, parts.partSize], [BATCH, partSize]);
    for (const [name, expected] of whole.gradients) {
      assertClose(parts.gradients.get(name)!, expected, { relative: 1e-6, message: name });
    }
  });
}

Deno.test("Engine works in parts where the adapter binds too little for the batch", async () => {
  // `again` is the largest tensor, 5 x 5 x 20 numbers an image: two of them fit.
  const whole = await gradientsOf({});
  const parts = await gradientsOf({}, { ...gpu, maxBindingBytes: 5 * 5 * 20 * 4 * 2.5 });
  assertEquals(parts.partSize, 2);
  for (const [name, expected] of whole.gradients) {
    assertClose(parts.gradients.get(name)!, expected, { relative: 1e-6, message: name });
  }
  await assertRejects(
    () => gradientsOf({}, { ...gpu, maxBindingBytes: 5 * 5 * 20 * 4 - 4 }),
    RangeError,
    "one image needs a tensor of more than",
  );
});

Deno.test("Engine works in parts where the adapter binds too few records", async () => {
  const preprocess = { side: 40, crop: 5, channels: 3, mean: [0, 0, 0], std: [1, 1, 1] } as const;
  const few = { ...gpu, maxBindingBytes: 40 * 40 * 3 * 2.5 };
  const { partSize } = await gradientsOf({ preprocess }, few);
  assertEquals(partSize, 2);
});

Deno.test("Engine refuses parts that do not divide the batch", async () => {
  await assertRejects(
    () => withEngine({ partSize: 4 }, async () => {}),
    RangeError,
    "not a divisor",
  );
});

Deno.test("Engine refuses parameters of another network by name", async () => {
  await withEngine({}, (engine, initial) => {
    const other = new Map(initial).set("conv9.weight", new Float32Array(1));
    assertThrows(() => engine.loadParameters(other), RangeError, "conv9.weight");
    return Promise.resolve();
  });
});

Deno.test("Engine keeps momenta through loading and reading", async () => {
  await withEngine({}, async (engine, initial) => {
    engine.loadMomenta(initial);
    assertEquals(await engine.readMomenta(), initial);
  });
});

/** With everything that draws random numbers. */
function droppingGraph(): Graph {
  const weightInit = { kind: "normal", std: 0.2 } as const;
  const graph = new Graph("dropping", imageShape(CHANNELS, SIDE, SIDE));
  let x = graph.add("conv", conv({ outChannels: 8, kernel: [3, 3], weightInit }), graph.input);
  x = graph.add("flat", flatten(), x);
  x = graph.add("drop", dropout({ ratio: 0.5 }), x);
  x = graph.add("fc", gemm({ outputs: CLASSES, weightInit }), x);
  graph.add("softmax", softmaxCrossEntropy(), x);
  return graph;
}

const cropped: PreprocessSpec = { ...PREPROCESS, side: SIDE + 3 };

function recordsOf(seed: number): Uint8Array<ArrayBuffer> {
  const random = new Random(seed);
  const length = BATCH * cropped.side ** 2 * CHANNELS;
  return Uint8Array.from({ length }, () => random.below(256));
}

function fiveSteps(seed: number, partSize = BATCH): Promise<ParameterValues> {
  return withEngine({ preprocess: cropped, partSize }, async (engine) => {
    for (let step = 0; step < 5; step++) {
      const augmentation = { randomCrop: true, flip: true };
      const crops = drawCrops(new Uint32Array(BATCH), cropped, augmentation, { seed, step });
      engine.trainStep({ records: recordsOf(step), labels: batch.labels, crops }, {
        ...{ learningRate: 0.05, seed, step },
      });
    }
    return await engine.readParameters();
  }, droppingGraph());
}

for (const partSize of [1, 2, 3]) {
  Deno.test(`Engine in parts of ${partSize} trains as on the whole batch, dropout included`, async () => {
    const whole = await fiveSteps(1);
    for (const [name, values] of await fiveSteps(1, partSize)) {
      assertClose(values, whole.get(name)!, { relative: 1e-5, message: name });
    }
  });
}

Deno.test("Engine updates a layer by its own rate, momentum and decay", async () => {
  const rules = {
    stem: { weight: { rateMultiplier: 0 }, bias: { constantRate: 0.5, momentum: 0 } },
    logits: { weight: { decayMultiplier: 10 } },
  };
  await withEngine({ layers: rules }, async (engine, initial) => {
    engine.trainStep(batch, at(0));
    const gradients = await engine.readGradients();
    const updated = await engine.readParameters();
    const expect = (name: string, rate: number, decay: number) => {
      const start = Float64Array.from(initial.get(name)!);
      const settings = { rate, momentum: 0.9, decay };
      const rest = { weights: start, momenta: new Float64Array(start.length) };
      const { weights } = sgdReference(rest, gradients.get(name)!, settings);
      assertClose(updated.get(name)!, weights, { relative: 1e-6, message: name });
    };
    expect("stem.weight", 0, 0);
    // Its operator takes no decay from biases.
    expect("stem.bias", 0.5, 0);
    expect("logits.weight", 0.05, 0.1);
    expect("b.weight", 0.05, 0.01);
    engine.trainStep(batch, at(1));
    const momenta = await engine.readMomenta();
    const later = (await engine.readGradients()).get("stem.bias")!;
    assertClose(momenta.get("stem.bias")!, later.map((g) => -0.5 * g), { relative: 1e-6 });
  });
});

Deno.test("Engine refuses rules for a layer that there is not, with the nearest name", async () => {
  await assertRejects(
    () => withEngine({ layers: { stam: {} } }, async () => {}),
    RangeError,
    "Cannot update stam: branching has no such layer (did you mean stem?)",
  );
});

for (const partSize of [BATCH, 2]) {
  Deno.test(`Engine trains to equal bits with equal seeds, in parts of ${partSize}`, async () => {
    const first = await fiveSteps(1, partSize);
    assertEquals(await fiveSteps(1, partSize), first);
    assertNotEquals(await fiveSteps(2, partSize), first);
  });
}

Deno.test("Engine evaluates centre crops without dropping", async () => {
  await withEngine({ preprocess: cropped }, async (engine) => {
    const records = recordsOf(3);
    engine.evaluateStep({ records, labels: batch.labels }, BATCH);
    const first = await engine.readProbabilities(BATCH);
    const stored = await engine.readImages(BATCH);
    const seen = fromStorage(stored, imageShape(CHANNELS, SIDE, SIDE), BATCH);
    const bytes = records.length / BATCH;
    const expected = Array.from(
      { length: BATCH },
      (_, i) => recordToTensor(records.subarray(i * bytes, (i + 1) * bytes), cropped),
    );
    assertEquals([...seen], expected.flatMap((image) => [...image]));
    const [crops, colors] = [new Uint32Array(BATCH), new Float32Array(4 * BATCH).fill(9)];
    engine.trainStep(
      { records, labels: batch.labels, crops, colors },
      at(0),
      { update: false },
    );
    engine.evaluateStep({ records, labels: batch.labels }, BATCH);
    assertEquals(await engine.readProbabilities(BATCH), first);
    engine.evaluateStep({ images: seen, labels: batch.labels }, BATCH);
    assertEquals(await engine.readProbabilities(BATCH), first);
  }, droppingGraph());
});

for (const partSize of [BATCH, 2]) {
  Deno.test(`Engine.profileStep() trains to the bits of trainStep(), in parts of ${partSize}`, async () => {
    const steps = async (profiled: boolean) =>
      await withEngine({ preprocess: cropped, partSize }, async (engine) => {
        const times = [];
        for (let step = 0; step < 2; step++) {
          const crops = new Uint32Array(BATCH).fill(step);
          const input = { records: recordsOf(step), labels: batch.labels, crops };
          if (profiled) times.push(...await engine.profileStep(input, at(step)));
          else engine.trainStep(input, at(step));
        }
        return { times, parameters: await engine.readParameters() };
      }, droppingGraph());
    const { times, parameters } = await steps(true);
    assertEquals(parameters, (await steps(false)).parameters);
    const parts = BATCH / partSize;
    const count = (node: string) => times.filter(({ dispatch }) => dispatch.node === node).length;
    assertEquals([count("input"), count("totals"), count("sgd")], [2 * parts, 2 * parts, 2]);
    for (const { label, milliseconds, dispatch } of times) {
      assert(milliseconds > 0, label);
      assert(dispatch.bytes! > 0, label);
    }
  });
}

Deno.test("Engine takes the tiles it is given and says which it uses", async () => {
  const tilesOf = (options: Partial<EngineOptions>) =>
    withEngine(options, (engine) => Promise.resolve(new Map(engine.tiles)), droppingGraph());
  const chosen = await tilesOf({});
  const [key, tile] = [...chosen].find(([key]) => key.startsWith("Conv forward"))!;
  const other = tile === "subgroup m 16 1" ? "subgroup n 8 1" : "subgroup m 16 1";
  assertEquals(
    await tilesOf({ tiles: new Map([[key, other], ["nothing", other]]) }),
    new Map([...chosen, [key, other]]),
  );
  assertEquals(await tilesOf({ tiles: new Map([[key, "strip 999 4"]]) }), chosen);
});

Deno.test("kept: no update revives a pruned weight, and the others are trained", async () => {
  await withEngine({}, async (_, initial) => {
    const kept: ParameterValues = new Map([...initial].map(([name, values]) => [
      name,
      values.map((_, i) => name.endsWith(".weight") && i % 3 !== 0 ? 0 : 1),
    ]));
    await withEngine({ kept }, async (engine) => {
      // Gathered before they were pruned: it pushes on.
      engine.loadMomenta(
        new Map([...initial].map(([name, values]) => [name, values.map(() => 0.1)])),
      );
      for (let step = 0; step < 3; step++) engine.trainStep(batch, at(step));
      const [parameters, momenta] = [await engine.readParameters(), await engine.readMomenta()];
      for (const [name, mask] of kept) {
        mask.forEach((keeps, i) => {
          const [now, moved] = [parameters.get(name)![i]!, momenta.get(name)![i]!];
          if (keeps === 0) assertEquals([now, moved], [0, 0], name);
          else assertNotEquals(now, initial.get(name)![i], name);
        });
      }
    });
  });
});
