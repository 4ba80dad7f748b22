import { assertEquals, assertThrows } from "@std/assert";
import { conv } from "../ops/conv/conv.ts";
import { flatten } from "../ops/flatten/flatten.ts";
import { gemm } from "../ops/gemm/gemm.ts";
import { imageShape } from "../ops/op.ts";
import { relu } from "../ops/relu/relu.ts";
import { split } from "../ops/split/split.ts";
import { Graph, multiplyAdds, nodeMultiplyAdds, parameterCount } from "./graph.ts";

const weightInit = { kind: "normal", std: 0.1 } as const;

function small(): Graph {
  const graph = new Graph("small", imageShape(3, 6, 5));
  let x = graph.add("conv", conv({ outChannels: 8, kernel: [3, 2], weightInit }), graph.input);
  x = graph.add("flat", flatten(), x);
  graph.add("fc", gemm({ outputs: 10, weightInit }), x);
  return graph;
}

Deno.test("Graph works out shapes, parameters and multiply-adds", () => {
  const graph = small();
  assertEquals(graph.output.shape, imageShape(10, 1, 1));
  assertEquals(graph.nodes.map(({ name }) => name), ["conv", "flat", "fc"]);
  assertEquals(parameterCount(graph), 8 * 3 * 6 + 8 + 10 * 8 * 16 + 10);
  assertEquals(graph.nodes.map(nodeMultiplyAdds), [16 * 8 * 3 * 6, 0, 10 * 8 * 16]);
  assertEquals(multiplyAdds(graph), 16 * 8 * 3 * 6 + 10 * 8 * 16);
});

Deno.test("Graph.addAll() gives every output", () => {
  const graph = new Graph("two", imageShape(8, 2, 2));
  const [a, b] = graph.addAll("split", split({ sizes: [4, 4] }), graph.input);
  assertEquals([a!.shape, b!.shape], [imageShape(4, 2, 2), imageShape(4, 2, 2)]);
  assertEquals(graph.tensors.map(({ id }) => id), [0, 1, 2]);
});

Deno.test("Graph names the node that it cannot add, and stays as it was", () => {
  const graph = small();
  const before = [...graph.nodes];
  assertThrows(
    () => graph.add("conv2", conv({ outChannels: 8, kernel: [3, 3], weightInit }), graph.output),
    RangeError,
    "Cannot add conv2 to small: Cannot apply Conv: a window of 3 does not fit into 1",
  );
  assertThrows(() => graph.add("fc", relu(), graph.output), RangeError, "a node of that name");
  assertThrows(() => graph.add("relu", relu()), RangeError, "takes one input and got 0");
  const other = small();
  assertThrows(() => graph.add("relu", relu(), other.output), RangeError, "of another graph");
  assertEquals(graph.nodes, before);
});

Deno.test("Graph without nodes puts out its input", () => {
  const graph = new Graph("empty", imageShape(1, 2, 3));
  assertEquals(graph.output, graph.input);
});
