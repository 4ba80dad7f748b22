// Threads of the lean session where hosts differ: what they allow, and what is left behind.
import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import type { LeanRunner } from "../../inference/lean/lean_runner.ts";
import { exportedInput, exportedModel } from "../fixtures/exported.ts";
import { leanRunner } from "./compare.ts";

const root = fromFileUrl(new URL("../../", import.meta.url));
const program = fromFileUrl(import.meta.resolve("./threaded_session.ts"));
const SECONDS = 20;

/** What the program prints, in a process that has to end by itself. */
async function answersOf(script: string, args: string[], permissions: string[]): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", ...permissions, script, ...args],
    cwd: root,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), SECONDS * 1000);
  const { stdout, stderr, signal } = await child.output();
  clearTimeout(timer);
  const [text, complaints] = [stdout, stderr].map((bytes) =>
    new TextDecoder().decode(bytes).trim()
  );
  assertEquals(signal, null, `it did not end in ${SECONDS} s: ${complaints}`);
  return text!;
}

Deno.test("a session of three threads answers as one of one thread, and ends when it is closed", async () => {
  const alone = await answersOf(program, ["1"], ["--allow-all"]);
  assertEquals(alone.split("\n").length, 1);
  assertEquals(await answersOf(program, ["3"], ["--allow-all"]), alone);
});

Deno.test("a session whose host lets no thread start answers all the same", async () => {
  const alone = await answersOf(program, ["1"], ["--allow-all"]);
  const kernels = ["--allow-read=inference/lean/kernels"];
  assertEquals(await answersOf(program, ["3"], kernels), alone);
});

Deno.test("the threads of a session end with the worker that holds it", async () => {
  const script = `
    const worker = new Worker(${JSON.stringify(new URL("threaded_session.ts", import.meta.url))}, {
      type: "module",
    });
    worker.onmessage = ({ data }) => { console.log(data.join("\\n")); worker.terminate(); };`;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, script);
    const config = ["--allow-all", "--config", `${root}deno.json`];
    assertEquals(
      await answersOf(file, [], config),
      await answersOf(program, ["1"], ["--allow-all"]),
    );
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("where the engine has no memory that threads share, one thread computes", async () => {
  const { Memory } = WebAssembly;
  class Unshared extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      if (descriptor.shared) throw new TypeError("no shared memory here");
      super(descriptor);
    }
  }
  const { dims, data } = exportedInput("lenet5");
  const names = { input: "input", output: "probabilities" };
  const open = (threads: number): Promise<LeanRunner> =>
    leanRunner(exportedModel("lenet5"), names, dims, 10, { threads });
  const expected = (await open(1)).run(data, 2);
  WebAssembly.Memory = Unshared;
  try {
    const runner = await open(2);
    assertEquals(await runner.startThreads(), 1);
    assertEquals(runner.run(data, 2), expected);
  } finally {
    WebAssembly.Memory = Memory;
  }
});
