import { assert, assertEquals } from "@std/assert";
import { imageShape, type OpTarget } from "../ops/op.ts";
import { branchingGraph } from "./branching_graph.ts";
import { largestBatch, memoryUse } from "./memory_use.ts";

const target: OpTarget = {
  family: "discrete",
  subgroupSize: 32,
  maxBindingBytes: 2 ** 31,
  maxWorkgroups: 65535,
};
const options = { target, recordBytes: 75 };
const graph = branchingGraph();

Deno.test("memoryUse() adds up, and shares between lifetimes", () => {
  const use = memoryUse(graph, 6, options);
  const { weights, weightGradients, momenta, shared, input, total } = use;
  assertEquals(total, weights + weightGradients + momenta + shared + input);
  const { activations, activationGradients, saved, scratch, buffers } = use;
  const unshared = activations + activationGradients + saved + scratch;
  assert(shared <= unshared + 16 * buffers, `${shared} of ${unshared}`);
  assert(activations >= 6 * 4 * imageShape(3, 5, 5).stride, "the input is an activation");
});

Deno.test("memoryUse() of parameters does not grow with the batch, the rest does", () => {
  const [small, large] = [memoryUse(graph, 2, options), memoryUse(graph, 20, options)];
  assertEquals(large.weights, small.weights);
  assertEquals(large.activations, 10 * small.activations);
  assertEquals(large.input - small.input, 18 * (75 + 36));
});

for (const wanted of [1, 2, 3, 17, 100]) {
  Deno.test(`largestBatch() finds ${wanted} where ${wanted} fit exactly`, () => {
    const { total } = memoryUse(graph, wanted, options);
    assertEquals(largestBatch(graph, total, options)?.batch, wanted);
    const less = largestBatch(graph, total - 1, options);
    assertEquals(less?.batch ?? 0, wanted - 1);
  });
}
