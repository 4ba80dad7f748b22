/** Images a second of onnxruntime-web without HTTP or decoding, in a process of its own. */
import * as ort from "onnxruntime-web";
import { answerRequests } from "../answer_requests.ts";
import type { BatchRequest } from "./batches.ts";

// The engine fixes its threads at the first session: one process, one number.
const threads = Number(Deno.args[0]);
ort.env.wasm.numThreads = threads;
ort.env.logLevel = "error";

async function measure({ model, manifest, batch, seconds }: BatchRequest): Promise<number> {
  const { input } = JSON.parse(await Deno.readTextFile(manifest));
  const session = await ort.InferenceSession.create(await Deno.readFile(model), {
    executionProviders: ["wasm"],
  });
  const dims = [batch, ...input.shape.slice(1)];
  const values = Float32Array.from(
    { length: dims.reduce((product, size) => product * size, 1) },
    (_, i) => (i * 7919 % 997) / 997,
  );
  const run = () => session.run({ [input.name]: new ort.Tensor("float32", values, dims) });
  await run();
  const started = performance.now();
  let runs = 0;
  for (; performance.now() - started < 1000 * seconds || runs < 2; runs++) await run();
  const rate = 1000 * batch * runs / (performance.now() - started);
  await session.release();
  return rate;
}

await answerRequests(`onnxruntime-web ${ort.env.versions.web}`, measure);
Deno.exit(0);
