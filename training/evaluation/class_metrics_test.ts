import { assertEquals } from "@std/assert";
import { classMetrics } from "./class_metrics.ts";
import { scoresOf } from "./scores.ts";
import { wilsonInterval } from "./wilson.ts";

Deno.test("classMetrics() has an interval a class, and the commonest confusions first", () => {
  const answers = [[0, 0], [0, 1], [0, 1], [0, 2], [1, 1], [1, 0]];
  const probabilities = answers.flatMap(([, answer]) =>
    Array.from({ length: 4 }, (_, c) => c === answer ? 0.7 : 0.1)
  );
  const labels = Uint32Array.from(answers, ([label]) => label!);
  const scores = scoresOf(Float32Array.from(probabilities), labels, 4);
  const { classes, confusions } = classMetrics(scores, ["cat", "dog", "owl", "bat"]);
  assertEquals(classes, [
    { images: 4, top1Error: 0.75, interval: wilsonInterval(3, 4) },
    { images: 2, top1Error: 0.5, interval: wilsonInterval(1, 2) },
    null,
    null,
  ]);
  assertEquals(confusions.map(({ label, answer, images }) => `${label} ${answer} ${images}`), [
    "cat dog 2",
    "cat owl 1",
    "dog cat 1",
  ]);
});
