import { assertEquals } from "@std/assert";
import { formatBroken, formatEpoch } from "./train_report.ts";

const RECORD = {
  epoch: 3,
  step: 30,
  learningRate: 0.01,
  trainingLoss: 1.23456,
  trainingError: 0.5,
  imagesPerSecond: 99.6,
  validation: { images: 500, loss: 1.1, top1Error: 0.4321, top5Error: 0 },
};

Deno.test("formatEpoch() aligns epochs and names what was measured on what", () => {
  const rest = "training loss 1.2346  validation loss 1.1000  " +
    "top-1 error 43.21 %  top-5 error 0.00 %  100 images/s";
  assertEquals(formatEpoch(RECORD, { epochs: 30 }), `epoch  3/30  ${rest}`);
  assertEquals(formatEpoch(RECORD, { epochs: 3 }), `epoch 3/3  ${rest}`);
});

Deno.test("formatBroken() counts all, names the first ten with the reason", () => {
  const broken = Array.from({ length: 12 }, (_, i) => ({ file: `${i}.jpg`, reason: "cut off" }));
  assertEquals(formatBroken([]), []);
  assertEquals(formatBroken(broken.slice(0, 1)), [
    "1 broken image was skipped:",
    "  0.jpg: cut off",
  ]);
  const lines = formatBroken(broken);
  assertEquals(lines.length, 12);
  assertEquals(lines[0], "12 broken images were skipped:");
  assertEquals(lines[10], "  9.jpg: cut off");
  assertEquals(lines[11], "  and 2 more");
  assertEquals(formatBroken(broken.slice(0, 10)).length, 11);
});
