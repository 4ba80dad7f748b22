// The rules that ARCHITECTURE.md states, computed from what every file really imports.
import { assert, assertEquals } from "@std/assert";
import { basename, fromFileUrl, join } from "@std/path";
import { listFiles, readModuleGraph } from "./architecture/module_graph.ts";
import {
  crossedLayers,
  crossedOperators,
  crossedParts,
  cycles,
  isTest,
  unshared,
  wrongPackages,
} from "./architecture/rules.ts";

const root = fromFileUrl(new URL("..", import.meta.url)).replace(/\/$/, "");
const modules = await readModuleGraph(root);
const sources = ["shared", "training", "inference", "infra", "tests"]
  .flatMap((folder) => [...listFiles(root, folder)])
  .filter((path) => /\.(ts|wgsl|py|css|html)$/.test(path));

const LONGEST_FILE = 500;

Deno.test("the module graph holds every part of the repository", () => {
  for (const part of ["shared", "training", "inference", "infra", "tests"]) {
    assert(modules.some(({ path }) => path.startsWith(`${part}/`)), `no module of ${part}`);
  }
});

Deno.test("imports run tests, infra → training | inference → shared", () => {
  assertEquals(crossedParts(modules), []);
});

Deno.test("imports in training run from main down to gpu", () => {
  assertEquals(crossedLayers(modules), []);
});

Deno.test("no operator imports another", () => {
  assertEquals(crossedOperators(modules), []);
});

Deno.test("packages come from deno.json, and hono stays in inference", () => {
  assertEquals(wrongPackages(modules), []);
});

Deno.test("packages of deno.json have exact versions", async () => {
  const { imports } = JSON.parse(await Deno.readTextFile(join(root, "deno.json"))) as {
    imports: Record<string, string>;
  };
  const loose = Object.values(imports).filter((target) => !/@\d+\.\d+\.\d+(\/|$)/.test(target));
  assertEquals(loose, []);
});

Deno.test("no module imports itself by way of others", () => {
  assertEquals(cycles(modules), []);
});

Deno.test("training and inference both reach every module of shared", () => {
  const [training, inference] = ["training/", "inference/"].map((stream) =>
    modules.map(({ path }) => path).filter((path) => path.startsWith(stream) && !isTest(path))
  );
  assert(training && inference);
  assertEquals(unshared(modules, { training, inference }), []);
});

Deno.test(`no file is longer than ${LONGEST_FILE} lines`, async () => {
  const long: string[] = [];
  for (const path of sources) {
    const text = await Deno.readTextFile(join(root, path));
    const lines = text.split("\n").length - 1;
    if (lines > LONGEST_FILE && !text.includes("@generated")) long.push(`${path}: ${lines}`);
  }
  assertEquals(long, []);
});

Deno.test("files are named for what they do: no utils.ts, no index.ts", () => {
  const vague = /^(utils?|helpers?|misc|common|index|mod)\.(ts|wgsl|py)$/;
  assertEquals(sources.filter((path) => vague.test(basename(path))), []);
});
