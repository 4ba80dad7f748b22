/**
 * Where the lean session's time goes: each step of one network, the least of many runs.
 *
 *     deno run --allow-read tests/bench/edge/lean_steps.ts FILE.onnx [BATCH] [THREADS] [relaxed|plain]
 *
 * The file is one that `topfive export` wrote, or a variant of `topfive compress`. Steps are those of
 * one thread; whole runs are computed by all.
 * @module
 */
import { LeanRunner } from "../../../inference/lean/lean_runner.ts";
import { readNetwork } from "../../../inference/lean/read_network.ts";
import { decodeOnnx } from "../../../shared/onnx/read.ts";

const RUNS = 40;

const [file, batchText = "1", threadsText = "1", build] = Deno.args;
const [batch, threads] = [Number(batchText), Number(threadsText)];
const known = build === undefined || build === "relaxed" || build === "plain";
const whole = [batch, threads].every((number) => Number.isInteger(number) && number >= 1);
if (file === undefined || !whole || !known) {
  console.error("Usage: lean_steps.ts FILE.onnx [BATCH] [THREADS] [relaxed|plain]");
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
  await readNetwork(ReadableStream.from([bytes]), manifest, { build, threads }),
);
const started = await runner.startThreads();
const length = batch * shape.slice(1).reduce((product, size) => product * size, 1);
const images = Float32Array.from({ length }, (_, i) => i * 7919 % 256);
const least: { label: string; milliseconds: number }[] = [];
for (let run = 0; run < RUNS; run++) {
  runner.profile(images, batch).forEach((step, index) => {
    least[index] ??= step;
    if (step.milliseconds < least[index].milliseconds) least[index] = step;
  });
}
const times = Array.from({ length: RUNS }, () => {
  const start = performance.now();
  runner.run(images, batch);
  return performance.now() - start;
}).sort((a, b) => a - b);
runner.close();
const sum = least.reduce((total, { milliseconds }) => total + milliseconds, 0);
for (const { label, milliseconds } of least) {
  const share = Math.round(100 * milliseconds / sum);
  console.log(`${milliseconds.toFixed(3).padStart(8)} ms ${`${share} %`.padStart(6)}  ${label}`);
}
console.log(
  `sum of the steps ${sum.toFixed(2)} ms on one thread; whole runs on ${started}: least ` +
    `${times[0]!.toFixed(2)}, median ${times[RUNS / 2]!.toFixed(2)} ms; ` +
    `${Math.round(runner.byteLength / 1e6)} MB`,
);
