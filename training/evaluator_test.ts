import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { memorySplit, type Split } from "./dataset/dataset.ts";
import { readRecord } from "./dataset/record_source.ts";
import { evaluate } from "./evaluator.ts";
import { openGpu } from "./gpu/device.ts";
import { Engine } from "./graph/engine.ts";
import { Graph } from "./graph/graph.ts";
import { flatten } from "./ops/flatten/flatten.ts";
import { gemm } from "./ops/gemm/gemm.ts";
import { imageShape } from "./ops/op.ts";
import { softmaxCrossEntropy } from "./ops/softmax_cross_entropy/softmax_cross_entropy.ts";

/** Logit k of a one-pixel image is its pixel p times SLOPES[k], plus OFFSETS[k]. */
const SLOPES = [0.01, -0.01, 0.02, 0, -0.03, 0.005, 0.015];
const OFFSETS = [0.3, 1.1, -0.2, 0.65, 2, 0.05, -1];

function onePixelNetwork(): Graph {
  const net = new Graph("one pixel", imageShape(1, 1, 1));
  const flat = net.add("flatten", flatten(), net.input);
  const weightInit = { kind: "constant", value: 0 } as const;
  net.add("loss", softmaxCrossEntropy(), net.add("fc", gemm({ outputs: 7, weightInit }), flat));
  return net;
}

/** By hand, in float64: the mean of -log p(label), and how many classes beat the label. */
function expectation({ source, labels, count }: Split) {
  let [loss, top1Errors, top5Errors] = [0, 0, 0];
  labels.forEach((label, i) => {
    const logits = SLOPES.map((slope, k) => slope * readRecord(source, i)[0]! + OFFSETS[k]!);
    const better = logits.filter((logit) => logit > logits[label]!).length;
    loss += Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0)) - logits[label]!;
    if (better >= 1) top1Errors++;
    if (better >= 5) top5Errors++;
  });
  return {
    images: count,
    loss: loss / count,
    top1Error: top1Errors / count,
    top5Error: top5Errors / count,
  };
}

function split(count: number): Split {
  const records = Uint8Array.from({ length: count }, (_, i) => (i * 53) % 256);
  const labels = Uint32Array.from({ length: count }, (_, i) => (i * 3) % 7);
  return memorySplit(records, labels);
}

Deno.test("evaluate() counts as by hand, over whole and partial batches", async () => {
  const gpu = await openGpu();
  const engine = await Engine.create(gpu, onePixelNetwork(), {
    batch: 4,
    preprocess: { side: 1, crop: 1, channels: 1, mean: [0], std: [1] },
    momentum: 0,
    decay: 0,
  });
  engine.loadParameters(
    new Map([
      ["fc.weight", Float32Array.from(SLOPES)],
      ["fc.bias", Float32Array.from(OFFSETS)],
    ]),
  );
  // Less than a batch, one batch, a partial last batch, and more batches than wait at a time.
  for (const count of [1, 4, 10, 70]) {
    const expected = expectation(split(count));
    const actual = await evaluate(engine, split(count));
    assertAlmostEquals(actual.loss, expected.loss, 1e-5);
    assertEquals({ ...actual, loss: 0 }, { ...expected, loss: 0 }, `${count} images`);
  }
  const { top1Error, top5Error } = expectation(split(70));
  assertEquals([top1Error > top5Error, top5Error > 0, top1Error < 1], [true, true, true]);

  // What was counted before does not leak into the next evaluation.
  engine.evaluateStep({ records: new Uint8Array(4), labels: new Uint32Array(4) }, 4);
  assertEquals((await evaluate(engine, split(3))).images, 3);

  await assertRejects(() => evaluate(engine, split(0)), RangeError, "has no images");
  engine.close();
  gpu.close();
});
