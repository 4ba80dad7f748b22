/**
 * Where the lean session's time goes: each step of one network, the least of many runs.
 *
 *     deno run --allow-read tests/bench/edge/lean_steps.ts FILE.onnx [BATCH] [relaxed|plain]
 *
 * The file is one that `topfive export` wrote, or a variant of `topfive compress`.
 * @module
 */
import { LeanRunner } from "../../../inference/lean/lean_runner.ts";
import { readNetwork } from "../../../inference/lean/read_network.ts";
import { decodeOnnx } from "../../../shared/onnx/read.ts";

const RUNS = 40;

const [file, batchText = "1", build] = Deno.args;
const batch = Number(batchText);
const known = build === undefined || build === "relaxed" || build === "plain";
if (file === undefined || !Number.isInteger(batch) || batch < 1 || !known) {
  console.error("Usage: lean_steps.ts FILE.onnx [BATCH] [relaxed|plain]");
  Deno.exit(2);
}
const bytes = await Deno.readFile(file);
const { inputs: [input], outputs: [output] } = decodeOnnx(bytes);
const shape = [-1, ...input!.shape.slice(1)] as [number, number, number, number];
const manifest = {
  name: file,
  version: "bench",
  input: { name: input!.name, shape },
  output: { name: output!.name, classes: Number(output!.shape[1]) },
};
const runner = new LeanRunner(
  await readNetwork(ReadableStream.from([bytes]), manifest, build),
);
const length = batch * shape.slice(1).reduce((product, size) => product * size, 1);
const images = Float32Array.from({ length }, (_, i) => i * 7919 % 256);
const least: { label: string; milliseconds: number }[] = [];
const whole: number[] = [];
for (let run = 0; run < RUNS; run++) {
  const started = performance.now();
  runner.run(images, batch);
  whole.push(performance.now() - started);
  runner.profile(images, batch).forEach((step, index) => {
    least[index] ??= step;
    if (step.milliseconds < least[index].milliseconds) least[index] = step;
  });
}
const sum = least.reduce((total, { milliseconds }) => total + milliseconds, 0);
whole.sort((a, b) => a - b);
for (const { label, milliseconds } of least) {
  const share = Math.round(100 * milliseconds / sum);
  console.log(`${milliseconds.toFixed(3).padStart(8)} ms ${`${share} %`.padStart(6)}  ${label}`);
}
console.log(
  `sum of the steps ${sum.toFixed(2)} ms; whole runs: least ${whole[0]!.toFixed(2)}, median ` +
    `${whole[RUNS / 2]!.toFixed(2)} ms; ${Math.round(runner.byteLength / 1e6)} MB`,
);
