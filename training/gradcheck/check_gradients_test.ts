import { assert, assertEquals } from "@std/assert";
import { CROP, tinyGraph } from "../fixtures/tiny.ts";
import { openGpu } from "../gpu/device.ts";
import { Engine } from "../graph/engine.ts";
import { Graph } from "../graph/graph.ts";
import { initialValues } from "../graph/parameters.ts";
import type { Op, OpContext } from "../ops/op.ts";
import { Random } from "../random.ts";
import { checkGradients } from "./check_gradients.ts";

const BATCH = 4;
const TOLERANCE = 0.02;

/** The same network with one node's operator replaced. */
function withOp(graph: Graph, node: string, change: (op: Op) => Op): Graph {
  const copy = new Graph(graph.name, graph.input.shape);
  for (const { name, op, inputs } of graph.nodes) {
    const tensors = inputs.map(({ id }) => copy.tensors[id]!);
    copy.addAll(name, name === node ? change(op) : op, ...tensors);
  }
  return copy;
}

async function check(graph: Graph) {
  const gpu = await openGpu();
  const random = new Random(5);
  const engine = await Engine.create(gpu, graph, {
    batch: BATCH,
    preprocess: { side: CROP, crop: CROP, channels: 1, mean: [0], std: [1] },
    momentum: 0,
    decay: 0,
  });
  const images = Float32Array.from({ length: BATCH * CROP * CROP }, () => random.normal());
  const values = initialValues(engine.arena, 2);
  const options = { seed: 1, tolerance: TOLERANCE };
  const labels = Uint32Array.of(0, 5, 2, 2);
  const checks = await checkGradients(engine, values, { images, labels }, options);
  assertEquals(await engine.readParameters(), values, "the weights are what they were");
  engine.close();
  gpu.close();
  return checks;
}

const wrong = (checks: Awaited<ReturnType<typeof check>>) =>
  checks.filter(({ verdict }) => verdict === "wrong").map(({ name }) => name);

Deno.test("checkGradients() finds a network's gradients right, its dropout included", async () => {
  const checks = await check(tinyGraph());
  assertEquals(checks.map(({ name, verdict }) => [name, verdict]), [
    ["conv.weight", "right"],
    ["conv.bias", "right"],
    ["fc.weight", "right"],
    ["fc.bias", "right"],
  ]);
  for (const { norm, error } of checks) assert(norm > 1e-3 && error < TOLERANCE);
});

/** Backward as if the context were another one. */
const inContext = (change: (context: OpContext) => OpContext) => (op: Op): Op => ({
  ...op,
  backward: (context) => op.backward(change(context)),
});

Deno.test("checkGradients() finds what is below a backward that drops other numbers", async () => {
  const other = inContext((context) => ({ ...context, stream: context.stream + 1 }));
  const checks = await check(withOp(tinyGraph(), "drop", other));
  assertEquals(wrong(checks), ["conv.weight", "conv.bias"]);
});

Deno.test("checkGradients() finds a loss whose gradient is a quarter too small", async () => {
  const scaled = inContext((context) => ({ ...context, lossBatch: context.lossBatch * 4 / 3 }));
  const checks = await check(withOp(tinyGraph(), "loss", scaled));
  assertEquals(wrong(checks).length, 4);
  for (const { error } of checks) assert(Math.abs(error - 0.25) < 0.02, `${error}`);
});

Deno.test("checkGradients() finds a bias that gets no gradient at all", async () => {
  const forgetful = (op: Op): Op => ({
    ...op,
    backward: (context) => {
      const { dispatches, ...work } = op.backward(context);
      const writesBias = ({ bindings }: typeof dispatches[number]) =>
        bindings.some(({ buffer }) => buffer.role === "gradParameter" && buffer.index === 1);
      const kept = dispatches.filter((dispatch) => !writesBias(dispatch));
      assert(kept.length < dispatches.length);
      return { ...work, dispatches: kept };
    },
  });
  assertEquals(wrong(await check(withOp(tinyGraph(), "fc", forgetful))), ["fc.bias"]);
});
