import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { readFixture } from "../../tests/fixtures/read_fixture.ts";
import { scoresOf } from "./scores.ts";
import { wilsonInterval } from "./wilson.ts";

interface Expected {
  readonly loss: number;
  readonly top1Error: number;
  readonly top5Error: number;
  readonly calibrationError: number;
  readonly confusion: number[][];
  readonly precision: (number | null)[];
  readonly recall: (number | null)[];
}

Deno.test("scoresOf() equals scikit-learn and torchmetrics", async () => {
  const { attributes, tensors } = await readFixture("scores");
  const expected = attributes as unknown as Expected;
  const { shape: [images, classes], data } = tensors.get("probabilities")!;
  const labels = Uint32Array.from(tensors.get("labels")!.data);
  const scores = scoresOf(data, labels, classes!);
  assertEquals(scores.images, images);
  assertAlmostEquals(scores.loss, expected.loss, 1e-6);
  assertAlmostEquals(scores.top1Error, expected.top1Error, 1e-12);
  assertAlmostEquals(scores.top5Error, expected.top5Error, 1e-12);
  assertAlmostEquals(scores.calibrationError, expected.calibrationError, 1e-6);
  const counted = scores.calibration.reduce((sum, bin) => sum + bin.images, 0);
  assertEquals([scores.calibration.length, counted], [15, images]);
  const errors = Math.round(expected.top1Error * images!);
  assertEquals(scores.top1Interval, wilsonInterval(errors, images!));

  const matrix = expected.confusion.map((row) => row.map(() => 0));
  for (const [label, answer, count] of scores.confusion) matrix[label]![answer] = count;
  assertEquals(matrix, expected.confusion);
  scores.classes.forEach(({ precision, top1Error }, c) => {
    const recall = top1Error === null ? null : 1 - top1Error;
    assertAlmostEquals(precision ?? -1, expected.precision[c] ?? -1, 1e-12);
    assertAlmostEquals(recall ?? -1, expected.recall[c] ?? -1, 1e-12);
  });
  assertEquals(scores.classes[6]!.top1Error, null, "the class without images");
});

Deno.test("scoresOf() names the mistakes, the least probable label first", () => {
  const rows = [[0.7, 0.2, 0.1], [0.6, 0.1, 0.3], [0.2, 0.5, 0.3], [0.9, 0.05, 0.05]];
  const probabilities = Float32Array.from(rows.flat());
  const { worst } = scoresOf(probabilities, Uint32Array.of(0, 2, 0, 1), 3);
  assertEquals(worst.map(({ index, label, predicted }) => [index, label, predicted]), [
    [3, 1, 0],
    [2, 0, 1],
    [1, 2, 0],
  ]);
  assertEquals(worst[0]!.labelProbability, Math.fround(0.05));
});

Deno.test("scoresOf() counts ties against the image, and a vanished probability as finite", () => {
  const tied = scoresOf(new Float32Array(7).fill(1 / 7), Uint32Array.of(0), 7);
  assertEquals([tied.top1Error, tied.top5Error], [1, 1]);
  const vanished = scoresOf(Float32Array.of(0, 1), Uint32Array.of(0), 2);
  assertAlmostEquals(vanished.loss, 126 * Math.LN2, 1e-9);
});

Deno.test("scoresOf() refuses no images and answers that are no numbers", () => {
  const none = () => scoresOf(new Float32Array(0), new Uint32Array(0), 2);
  assertThrows(none, RangeError, "the split has no images");
  const bad = () => scoresOf(Float32Array.of(0.5, 0.5, NaN, 1), Uint32Array.of(0, 1), 2);
  assertThrows(bad, RangeError, "the probabilities of image 1 are no numbers");
});
