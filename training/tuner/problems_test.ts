import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { layOutParameters } from "../graph/parameters.ts";
import { plan } from "../graph/plan.ts";
import { alexnetSmall } from "../models/alexnet_small.ts";
import type { OpTarget } from "../ops/op.ts";
import { codeHash, problemsOf, workWith } from "./problems.ts";
import { tunedTiles } from "./tuned_tiles.ts";

const target: OpTarget = {
  family: "software",
  subgroupSize: 8,
  maxBindingBytes: 2 ** 27,
  maxWorkgroups: 65535,
};
const graph = alexnetSmall.build(10);

function problemsFor(options: Partial<OpTarget> = {}, training = true) {
  const arena = layOutParameters(graph);
  return problemsOf(
    graph,
    plan(graph, arena, { batch: 2, target: { ...target, ...options }, training }),
  );
}

const problems = problemsFor();
const conv2 = problems.find(({ key }) => key.startsWith("Conv forward 24x16x16"))!;

Deno.test("problemsOf() has every product of training once, the first layer without grad-input", () => {
  const keys = problems.map(({ key }) => key);
  assertEquals(new Set(keys).size, keys.length);
  const count = (start: string) => keys.filter((key) => key.startsWith(start)).length;
  assertEquals(
    ["Conv forward", "Conv grad-weight", "Conv grad-input", "Gemm forward"].map(count),
    [5, 5, 4, 3],
  );
  const forward = problemsFor({}, false).map(({ key }) => key);
  assertEquals(forward, keys.filter((key) => key.includes(" forward ")));
});

Deno.test("problemsOf() on a card has tiles in workgroup memory, within its limits", () => {
  const most = problemsFor({ family: "discrete" });
  const fewest = problemsFor({ family: "discrete", maxWorkgroupBytes: 8192, maxInvocations: 128 });
  for (const [index, { candidates }] of fewest.entries()) {
    assert(candidates.length < most[index]!.candidates.length);
    for (const name of candidates) {
      const [family, tileM, tileN, tileK, threadM, threadN] = name.split(" ");
      assertEquals(family, "workgroup");
      // The default is within what WebGPU guarantees on any adapter.
      if (name === candidates[0]) continue;
      assert(4 * Number(tileK) * (Number(tileM) + Number(tileN)) <= 8192, name);
      assert(Number(tileM) / Number(threadM) * Number(tileN) / Number(threadN) <= 128, name);
    }
  }
});

Deno.test("workWith() gives the problem's own dispatches with the tile asked for", () => {
  for (const problem of problems) {
    for (const tile of problem.candidates.slice(0, 3)) {
      const { dispatches, scratchBytes } = workWith(problem, tile);
      assert(dispatches.length > 0);
      for (const dispatch of dispatches) {
        assertEquals([dispatch.problem?.key, dispatch.problem?.tile], [problem.key, tile]);
        const scratch = dispatch.bindings.filter(({ buffer }) => buffer.role === "scratch");
        for (const { buffer } of scratch) assert(scratchBytes[buffer.index]! > 0);
      }
    }
  }
});

Deno.test("codeHash() follows the kernels' text", () => {
  const [first, second] = conv2.candidates.map((tile) =>
    codeHash(workWith(conv2, tile).dispatches)
  );
  assertNotEquals(first, second);
  assertEquals(codeHash(workWith(conv2, conv2.candidates[0]!).dispatches), first);
  assertEquals(first!.length, 16);
});

Deno.test("tunedTiles() takes what was measured of this very code, and no more", () => {
  const tile = conv2.candidates[5]!;
  const code = codeHash(workWith(conv2, tile).dispatches);
  const entry = { tile, code, milliseconds: 1, defaultMilliseconds: 2, tunedAt: "" };
  const tilesOf = (entries: Parameters<typeof tunedTiles>[1]) =>
    Object.fromEntries(tunedTiles(problems, entries));
  assertEquals(tilesOf({ [conv2.key]: entry, other: entry }), { [conv2.key]: tile });
  assertEquals(tilesOf({ [conv2.key]: { ...entry, code: "0".repeat(16) } }), {});
  assertEquals(tilesOf({ [conv2.key]: { ...entry, tile: "strip 1 1" } }), {});
  assertEquals(tilesOf({}), {});
});
