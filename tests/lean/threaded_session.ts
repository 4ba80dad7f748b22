/**
 * Tests only: a lean session of three threads in a process, or a worker, of its own. Prints its answers
 * and ends, if the session's threads do.
 * @module
 */
import { openSession } from "../../inference/workers/session.ts";
import { exportedInput, exportedModel } from "../fixtures/exported.ts";

const inWorker = "postMessage" in globalThis;
/** Long enough for threads to join, meanwhile runs go on: a worker of a worker takes a second. */
const MILLISECONDS = inWorker ? 1500 : 400;

async function main(): Promise<string[]> {
  const { dims: [, channels, height, width], data } = exportedInput("alexnet-small");
  const session = await openSession(exportedModel("alexnet-small"), {
    name: "threaded",
    version: "1",
    input: { name: "input", shape: [-1, channels!, height!, width!] },
    output: { name: "probabilities", classes: 10 },
  }, { runtime: "lean", threads: Number(Deno.args[0] ?? 3) });
  const answers = new Set<string>();
  for (const end = performance.now() + MILLISECONDS; performance.now() < end;) {
    answers.add(String(await session.run(data, 2)));
    await new Promise((resolve) => setTimeout(resolve));
  }
  // A worker is ended from outside, its session open.
  if (!inWorker) await session.close();
  return [...answers];
}

const answers = await main();
if (!inWorker) console.log(answers.join("\n"));
else (self as unknown as Worker).postMessage(answers);
