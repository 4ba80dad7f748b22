/** A plan is data: what it promises is checked with no device. */
import { assert, assertEquals } from "@std/assert";
import { conv } from "../ops/conv/conv.ts";
import { imageShape, type OpTarget } from "../ops/op.ts";
import { relu } from "../ops/relu/relu.ts";
import { branchingGraph } from "./branching_graph.ts";
import { Graph } from "./graph.ts";
import { layOutParameters } from "./parameters.ts";
import { plan, type PlannedDispatch } from "./plan.ts";

const TARGET: OpTarget = {
  family: "software",
  subgroupSize: 16,
  maxBindingBytes: 2 ** 27,
  maxWorkgroups: 65535,
};

function planOf(graph: Graph, training: boolean, target = TARGET, batch = 4) {
  return plan(graph, layOutParameters(graph), { batch, target, training });
}

const graph = branchingGraph();
const training = planOf(graph, true);
const evaluation = planOf(graph, false);

const nodesOf = (dispatches: readonly PlannedDispatch[]) => [
  ...new Set(dispatches.map(({ node }) => node)),
];

for (
  const [name, { forward, backward, backwardAdding }] of Object.entries({ training, evaluation })
) {
  Deno.test(`plan() for ${name} binds no tensor twice in a dispatch`, () => {
    for (const { kernel, bindings } of [...forward, ...backward, ...backwardAdding]) {
      // Weights and bias are read from one buffer; what is written is never read as well.
      const buffers = bindings.map(({ buffer }) => buffer).filter((own) => own !== "parameters");
      assertEquals(new Set(buffers).size, buffers.length, `${kernel.label}: ${buffers}`);
    }
  });
}

Deno.test("plan() walks forward in order and backward in reverse", () => {
  const forward = nodesOf(training.forward);
  const order = graph.nodes.map(({ name }) => name);
  assertEquals(forward, order.filter((name) => forward.includes(name)));
  const backward = nodesOf(training.backward);
  assertEquals(backward, order.filter((name) => backward.includes(name)).reverse());
  assertEquals(backward.at(-1), "stem");
});

Deno.test("plan() lets the node before apply a Relu, but not where others see what it had", () => {
  const forward = nodesOf(training.forward);
  assert(!forward.includes("a/relu") && !forward.includes("left/relu"));
  assert(forward.includes("kept"));
});

Deno.test("plan() moves nothing for a Flatten", () => {
  const ofFlattens = [...training.forward, ...training.backward].filter(({ node }) =>
    node.endsWith("/flat")
  );
  // The one dispatch adds up what its two consumers say of `pooled`.
  assertEquals(ofFlattens.map(({ kernel }) => kernel.label.split(" ")[0]), ["add"]);
});

Deno.test("plan() computes no gradient of the graph's input", () => {
  const stem = training.backward.filter(({ node }) => node === "stem");
  assert(stem.length > 0);
  assertEquals(stem.filter(({ kernel }) => kernel.label.includes("grad-input")), []);
  const a = training.backward.filter(({ node }) => node === "a");
  assertEquals(a.filter(({ kernel }) => kernel.label.includes("grad-input")).length, 1);
});

Deno.test("plan() adds gradients once for each further consumer", () => {
  const additions = training.backward.filter(({ kernel }) => kernel.label.startsWith("add "));
  // `pooled` has two consumers, the larger part is used twice, `stem` has three.
  assertEquals(additions.length, 1 + 1 + 2);
});

Deno.test("plan() in parts differs in the parameters' gradients alone", () => {
  const { backward, backwardAdding } = training;
  assertEquals(
    backwardAdding.map(({ node, bindings, workgroups }) => ({ node, bindings, workgroups })),
    backward.map(({ node, bindings, workgroups }) => ({ node, bindings, workgroups })),
  );
  backward.forEach(({ kernel, bindings }, i) => {
    const same = kernel.code === backwardAdding[i]!.kernel.code;
    const writesGradient = bindings.some(({ buffer }) => buffer === "gradients");
    assertEquals(same, !writesGradient, kernel.label);
  });
});

Deno.test("plan() without training has no backward and shares more memory", () => {
  assertEquals([evaluation.backward, evaluation.backwardAdding], [[], []]);
  const bytes = (slots: readonly number[]) => slots.reduce((sum, size) => sum + size, 0);
  assert(bytes(evaluation.slots) < bytes(training.slots));
  const { activations, gradients, saved, scratch } = training.bytes;
  const unshared = activations + gradients + saved + scratch;
  assert(bytes(training.slots) <= unshared + 16 * training.slots.length);
});

Deno.test("plan() binds parameters at aligned places inside of their arena", () => {
  const { slots, bytes } = layOutParameters(graph);
  const bound = new Set<number>();
  for (const { bindings } of [...training.forward, ...training.backward]) {
    for (const { buffer, offset = 0, size = Infinity } of bindings) {
      if (buffer !== "parameters" && buffer !== "gradients") continue;
      assertEquals(offset % 256, 0);
      assert(offset + size <= bytes);
      bound.add(offset);
    }
  }
  assertEquals(
    [...bound].sort((a, b) => a - b),
    slots.map(({ offset }) => offset).sort((a, b) => a - b),
  );
});

Deno.test("plan() of a chain keeps memory as the chain grows, without training", () => {
  const chain = (length: number) => {
    const graph = new Graph("chain", imageShape(4, 8, 8));
    let x = graph.input;
    for (let i = 0; i < length; i++) {
      const weightInit = { kind: "constant", value: 0 } as const;
      const op = conv({ outChannels: 4, kernel: [3, 3], pads: [1, 1, 1, 1], weightInit });
      x = graph.add(`relu${i}`, relu(), graph.add(`conv${i}`, op, x));
    }
    return planOf(graph, false).slots;
  };
  assertEquals(chain(12), chain(4));
});
