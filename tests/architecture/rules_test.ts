import { assertEquals } from "@std/assert";
import type { Module } from "./module_graph.ts";
import {
  crossedLayers,
  crossedOperators,
  crossedParts,
  cycles,
  unshared,
  wrongPackages,
} from "./rules.ts";

/** Modules from { importer: targets }, each target imported by its own name. */
function graph(imports: Record<string, string[]>): Module[] {
  return Object.entries(imports).map(([path, targets]) => ({
    path,
    imports: targets.map((target) => ({
      specifier: target.replace("npm:/", ""),
      target,
      use: "code",
    })),
  }));
}

/** Whether `rule` lets `from` import `to`. */
function allows(rule: (modules: Module[]) => string[], from: string, to: string): boolean {
  return rule(graph({ [from]: [to], [to]: [] })).length === 0;
}

Deno.test("crossedParts() keeps the two streams apart and shared below both", () => {
  for (
    const [from, to, allowed] of [
      ["training/main.ts", "shared/manifest.ts", true],
      ["inference/app.ts", "shared/manifest.ts", true],
      ["tests/a_test.ts", "training/main.ts", true],
      ["infra/demo.ts", "inference/main.ts", true],
      ["training/main.ts", "inference/app.ts", false],
      ["inference/app.ts", "training/main.ts", false],
      ["shared/manifest.ts", "training/main.ts", false],
      ["shared/manifest.ts", "inference/app.ts", false],
      ["training/a_test.ts", "tests/fixtures/read.ts", true],
      ["training/a_test.ts", "inference/app.ts", false],
      ["training/a.ts", "tests/fixtures/read.ts", false],
      ["inference/app.ts", "infra/demo.ts", false],
    ] as const
  ) {
    assertEquals(allows(crossedParts, from, to), allowed, `${from} → ${to}`);
  }
});

Deno.test("crossedLayers() lets training import downwards only, its tests anywhere", () => {
  for (
    const [from, to, allowed] of [
      ["training/main.ts", "training/gpu/device.ts", true],
      ["training/trainer.ts", "training/models/lenet5.ts", true],
      ["training/graph/graph.ts", "training/ops/conv/conv.ts", true],
      ["training/ops/conv/conv.ts", "training/gpu/device.ts", true],
      ["training/ops/conv/conv_test.ts", "training/graph/graph.ts", true],
      ["training/ops/conv/conv.ts", "training/dataset/loader.ts", true],
      ["training/ops/conv/conv.ts", "training/graph/graph.ts", false],
      ["training/gpu/device.ts", "training/ops/op.ts", false],
      ["training/gpu/device.ts", "training/models/lenet5.ts", false],
      ["training/graph/graph.ts", "training/models/lenet5.ts", false],
      ["training/models/lenet5.ts", "training/trainer.ts", false],
      ["training/trainer.ts", "training/pipeline/publish.ts", false],
    ] as const
  ) {
    assertEquals(allows(crossedLayers, from, to), allowed, `${from} → ${to}`);
  }
});

Deno.test("crossedOperators() lets an operator import itself and what all share", () => {
  for (
    const [from, to, allowed] of [
      ["training/ops/conv/conv.ts", "training/ops/conv/conv_shape.ts", true],
      ["training/ops/conv/conv.ts", "training/ops/op.ts", true],
      ["training/ops/conv/conv.ts", "training/ops/relu/relu.ts", false],
    ] as const
  ) {
    assertEquals(allows(crossedOperators, from, to), allowed, `${from} → ${to}`);
  }
});

Deno.test("wrongPackages() finds hono outside inference and versions in the source", () => {
  assertEquals(wrongPackages(graph({ "inference/app.ts": ["npm:/hono@4.13.19/tiny"] })), []);
  assertEquals(wrongPackages(graph({ "training/main.ts": ["npm:/zod@4.6.7"] })), []);
  for (const hono of ["npm:/hono@4.13.19", "npm:/@hono/zod-openapi@1.6.0"]) {
    assertEquals(wrongPackages(graph({ "training/main.ts": [hono] })).length, 1, hono);
  }
  assertEquals(wrongPackages(graph({ "inference/app.ts": ["npm:zod@4.6.7"] })).length, 1);
});

Deno.test("cycles() names each circle once, of two modules, of three and of one", () => {
  assertEquals(
    cycles(graph({ a: ["b"], b: ["a", "c"], c: ["d"], d: ["e"], e: ["c"], f: ["f"], g: ["a"] })),
    [["a", "b"], ["c", "d", "e"], ["f"]],
  );
  assertEquals(cycles(graph({ a: ["b", "c"], b: ["c"], c: [] })), []);
  for (const use of ["types", "url"] as const) {
    const back = { path: "b", imports: [{ specifier: "a", target: "a", use }] };
    assertEquals(cycles([...graph({ a: ["b"] }), back]), []);
  }
});

Deno.test("unshared() names modules of shared/ that one stream never reaches", () => {
  const modules = graph({
    "training/main.ts": ["shared/both.ts", "shared/training_only.ts"],
    "inference/main.ts": ["shared/both.ts"],
    "shared/both.ts": ["shared/deep.ts"],
    "shared/deep.ts": [],
    "shared/training_only.ts": [],
    "shared/deep_test.ts": ["shared/deep.ts"],
  });
  assertEquals(
    unshared(modules, { training: ["training/main.ts"], inference: ["inference/main.ts"] }),
    ["shared/training_only.ts not from inference"],
  );
});
