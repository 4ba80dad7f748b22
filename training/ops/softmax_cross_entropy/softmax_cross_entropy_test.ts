import { assertEquals, assertThrows } from "@std/assert";
import { readFixtureCases } from "../../../tests/fixtures/read_fixture.ts";
import { openGpu } from "../../gpu/device.ts";
import { checkGradients } from "../check_gradients.ts";
import { imageShape } from "../op.ts";
import { assertClose, randomTensor, runOp } from "../op_harness.ts";
import { softmaxCrossEntropy } from "./softmax_cross_entropy.ts";
import {
  softmaxCrossEntropyBackward,
  softmaxCrossEntropyForward,
} from "./softmax_cross_entropy_reference.ts";

const gpu = await openGpu();

Deno.test("softmaxCrossEntropy reference agrees with finite differences", () => {
  const labels = [3, 0, 6];
  const loss = (logits: Parameters<typeof softmaxCrossEntropyForward>[0]) =>
    softmaxCrossEntropyForward(logits, labels).losses.reduce((sum, { loss }) => sum + loss, 0);
  checkGradients(
    ([x]) => [{ shape: [1], data: Float64Array.of(loss(x!) / 5) }],
    ([x], [g]) => {
      const { shape, data } = softmaxCrossEntropyBackward(x!, labels, 5);
      return [{ shape, data: data.map((value) => value * g!.data[0]!) }];
    },
    [randomTensor([3, 7], 1)],
  );
});

for (const { name, tensors } of await readFixtureCases("softmax_cross_entropy")) {
  Deno.test(`softmaxCrossEntropy() equals PyTorch: ${name}`, async () => {
    const result = await runOp(gpu, softmaxCrossEntropy(), {
      inputs: [tensors.get("logits")!],
      labels: [...tensors.get("labels")!.data],
      backward: true,
    });
    assertClose(result.outputs[0]!.data, tensors.get("probabilities")!.data);
    assertClose(result.gradInputs[0]!.data, tensors.get("gradLogits")!.data);
    const losses = result.losses.filter((_, i) => i % 3 === 0);
    assertClose(losses, tensors.get("losses")!.data);
  });
}

for (const [batch, classes] of [[1, 1], [3, 2], [5, 10], [130, 6], [2, 1000]] as const) {
  Deno.test(`softmaxCrossEntropy() equals its reference: ${batch} x ${classes}`, async () => {
    const logits = randomTensor([batch, classes], 2, 3);
    const labels = Array.from({ length: batch }, (_, i) => i * 7 % classes);
    const lossBatch = 4 * batch;
    const run = { inputs: [logits], labels, lossBatch, backward: true };
    const result = await runOp(gpu, softmaxCrossEntropy(), run);
    const { probabilities, losses } = softmaxCrossEntropyForward(logits, labels);
    assertClose(result.outputs[0]!.data, probabilities.data, { message: "output" });
    const gradient = softmaxCrossEntropyBackward(logits, labels, lossBatch).data;
    assertClose(result.gradInputs[0]!.data, gradient, { message: "gradInput" });
    assertClose(result.losses.filter((_, i) => i % 3 === 0), losses.map(({ loss }) => loss));
    const errors = [...result.losses].filter((_, i) => i % 3 !== 0);
    assertEquals(errors, losses.flatMap(({ top1Error, top5Error }) => [top1Error, top5Error]));
  });
}

Deno.test("softmaxCrossEntropy() counts errors, ties against the image", async () => {
  const rows: [number[], number, number, number][] = [
    [[9, 1, 1, 1, 1, 1, 1], 0, 0, 0],
    [[9, 9, 1, 1, 1, 1, 1], 0, 1, 0],
    [[5, 9, 8, 7, 6, 1, 1], 0, 1, 0],
    [[5, 9, 8, 7, 6, 5, 1], 0, 1, 1],
    [[1, 2, 3, 4, 5, 6, 7], 6, 0, 0],
    [[0, 0, 0, 0, 0, 0, 0], 3, 1, 1],
  ];
  const { losses } = await runOp(gpu, softmaxCrossEntropy(), {
    inputs: [{ shape: [6, 7], data: Float32Array.from(rows.flatMap(([logits]) => logits)) }],
    labels: rows.map(([, label]) => label),
  });
  rows.forEach(([, , top1Error, top5Error], i) => {
    assertEquals([...losses.subarray(3 * i + 1, 3 * i + 3)], [top1Error, top5Error]);
  });
});

Deno.test("softmaxCrossEntropy() refuses an image, and is a Softmax in ONNX", () => {
  const op = softmaxCrossEntropy();
  assertThrows(() => op.outputShapes([imageShape(3, 2, 1)]), RangeError, "one row");
  const { nodes } = op.toOnnx({
    name: "s",
    inputs: ["x"],
    outputs: ["y"],
    inputShapes: [],
    outputShapes: [],
    parameters: [],
  });
  assertEquals(nodes, [
    {
      opType: "Softmax",
      name: "s",
      inputs: ["x"],
      outputs: ["y"],
      attributes: { axis: { int: 1 } },
    },
  ]);
});
