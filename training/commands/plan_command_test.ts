import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { captured } from "../fixtures/captured.ts";
import { MODEL_NAMES } from "../models/models.ts";
import { planCommand } from "./plan_command.ts";

const run = (...args: string[]) => captured(() => planCommand(args));

Deno.test("planCommand() --help names the models", async () => {
  const { code, stdout } = await run("--help");
  assertEquals(code, 0);
  assertStringIncludes(stdout, MODEL_NAMES.join(", "));
});

Deno.test("planCommand() answers wrong arguments with 2 and the reason", async () => {
  const cases: [string[], string][] = [
    [[], `expected one model (${MODEL_NAMES.join(", ")})`],
    [["resnet"], "expected one model"],
    [["lenet5", "alexnet"], "expected one model"],
    [["lenet5", "--batch", "0"], "--batch is 0 (expected a whole number, at least 1)"],
    [["lenet5", "--classes", "many"], "--classes is many (expected a whole number, at least 1)"],
    [["lenet5", "--clases", "3"], "unknown option --clases (did you mean --classes?)"],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await run(...args);
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, message);
  }
});

Deno.test("planCommand() prints AlexNet's known totals, layers and what training takes", async () => {
  const { code, stdout } = await run("alexnet", "--batch", "128");
  assertEquals(code, 0);
  assertMatch(stdout, /^parameters +60,965,224$/m);
  assertMatch(stdout, /^multiply-adds +724,406,816 an image, forward$/m);
  assertMatch(stdout, /^conv1 +Conv +96 x 55 x 55 +34,944 +105,415,200$/m);
  assertMatch(stdout, /^fc8 +Gemm +1000 +4,097,000 +4,096,000$/m);
  assertMatch(stdout, /^memory to train with batch 128$/m);
});

Deno.test("planCommand() counts for the classes and the batch that are asked for", async () => {
  const { stdout } = await run("lenet5", "--classes", "26", "--batch", "7");
  assertMatch(stdout, /^fc3 +Gemm +26 +2,210 +2,184$/m);
  assertMatch(stdout, /^memory to train with batch 7$/m);
  const ofAll = (text: string) => Number(/in all +([\d.]+) MB/.exec(text)?.[1]);
  const larger = await run("lenet5", "--classes", "26", "--batch", "70");
  assertEquals(ofAll(larger.stdout) > ofAll(stdout), true);
});

Deno.test("planCommand() --memory finds the largest batch that the plan says fits", async () => {
  const { stdout } = await run("lenet5", "--memory", "20MB", "--json");
  const { largest: { within, memory }, parameters, layers } = JSON.parse(stdout);
  assertEquals([within, parameters, layers.length], [20e6, 61_706, 13]);
  const totalOf = async (batch: number) =>
    JSON.parse((await run("lenet5", "--batch", String(batch), "--json")).stdout).memory.total;
  assertEquals(await totalOf(memory.batch), memory.total);
  assertEquals(memory.total <= 20e6 && await totalOf(memory.batch + 1) > 20e6, true);
  const text = await run("lenet5", "--memory", "20MB");
  assertMatch(text.stdout, new RegExp(`^largest batch in 20.0 MB: ${memory.batch} `, "m"));
});

Deno.test("planCommand() --memory says where not one image fits, and what is no size", async () => {
  const small = await run("alexnet", "--memory", "100MB");
  assertMatch(small.stdout, /^largest batch in 100.0 MB: none, one image takes more$/m);
  const wrong = await run("alexnet", "--memory", "much");
  assertEquals(wrong.code, 2);
  assertStringIncludes(wrong.stderr, "--memory is much (expected a size as 3GB)");
});

Deno.test("planCommand() --micro-batch takes the memory of its images, not of the batch", async () => {
  const memoryOf = async (...args: string[]) =>
    JSON.parse((await run("alexnet-small", "--json", ...args)).stdout).memory;
  const parts = await memoryOf("--batch", "32", "--micro-batch", "8");
  assertEquals(parts, await memoryOf("--batch", "8"));
  const { stdout } = await run("alexnet-small", "--batch", "32", "--micro-batch", "8");
  assertMatch(stdout, /^memory to train with batch 32, 8 images at a time$/m);
  const wrong = await run("alexnet-small", "--batch", "32", "--micro-batch", "5");
  assertStringIncludes(wrong.stderr, "--micro-batch is 5, no divisor of 32 images");
});

Deno.test("planCommand() --memory says in which parts a batch fits that does not fit whole", async () => {
  const { stdout } = await run("alexnet", "--memory", "1.2GB");
  const [, largest, part] = /: (\d+) \(.*; batch 128 by --micro-batch (\d+)$/m.exec(stdout)!;
  assertEquals(128 % Number(part), 0);
  assertEquals(Number(part) <= Number(largest) && Number(part) * 2 > Number(largest), true);
});
