/** The tuner on the GPU, with candidates that are right and candidates made wrong on purpose. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { openGpu } from "../gpu/device.ts";
import { Graph } from "../graph/graph.ts";
import { conv } from "../ops/conv/conv.ts";
import { flatten } from "../ops/flatten/flatten.ts";
import { gemm } from "../ops/gemm/gemm.ts";
import { imageShape, type OpDispatch } from "../ops/op.ts";
import { softmaxCrossEntropy } from "../ops/softmax_cross_entropy/softmax_cross_entropy.ts";
import { trainingProblems } from "./load_tiles.ts";
import { codeHash, type TuningProblem, workWith } from "./problems.ts";
import { tuneProblem } from "./tune.ts";

const gpu = await openGpu();

const BATCH = 3;
const weightInit = { kind: "constant", value: 0 } as const;
const graph = new Graph("tuned", imageShape(3, 9, 10));
let x = graph.add("one", conv({ outChannels: 16, kernel: [3, 3], weightInit }), graph.input);
x = graph.add("two", conv({ outChannels: 8, kernel: [3, 2], group: 2, weightInit }), x);
x = graph.add("flat", flatten(), x);
x = graph.add("fc", gemm({ outputs: 280, weightInit }), x);
graph.add("loss", softmaxCrossEntropy(), x);

// Weights of 280 x 280 in panels of 128 outputs: two equal slabs, and one of the rest.
const problems = [
  ...trainingProblems(gpu, graph, BATCH),
  ...trainingProblems({ ...gpu, maxBindingBytes: 280 * 128 * 4 }, graph, BATCH)
    .filter(({ key }) => key.startsWith("Gemm")),
];

for (const problem of problems) {
  Deno.test(`tuneProblem() refuses no right candidate of ${problem.key}`, async () => {
    const { choice, entry, refused, checked } = await tuneProblem(gpu, problem, 4);
    assertEquals(refused, []);
    assertEquals(checked, 4);
    assert(problem.candidates.slice(0, 4).includes(choice.tile));
    assert(choice.milliseconds > 0 && choice.milliseconds <= choice.defaultMilliseconds);
    assertEquals(entry.code, codeHash(workWith(problem, choice.tile).dispatches));
  });
}

/** The problem with the dispatches of some tiles changed. */
function sabotaged(
  problem: TuningProblem,
  change: Readonly<Record<string, (dispatch: OpDispatch) => OpDispatch>>,
): TuningProblem {
  const { node, direction } = problem;
  const op = {
    ...node.op,
    [direction]: (context: Parameters<typeof node.op.forward>[0]) => {
      const work = node.op[direction](context);
      const dispatches = work.dispatches.map((own) =>
        change[own.problem?.tile ?? ""]?.(own) ?? own
      );
      return { ...work, dispatches };
    },
  };
  return { ...problem, node: { ...node, op } };
}

const rewrite = (from: string, to: string) => (dispatch: OpDispatch): OpDispatch => {
  const { label, code } = dispatch.kernel;
  assert(code.includes(from), `${label} has no ${from}`);
  return { ...dispatch, kernel: { label, code: code.replaceAll(from, to) } };
};

Deno.test("tuneProblem() refuses what is wrong, incomplete or does not compile, however fast", async () => {
  const problem = problems.find(({ key }) => key.startsWith("Conv forward 3x9x10"))!;
  const [usual, wrong, partial, invalid, right] = problem.candidates;
  const { choice, refused, checked } = await tuneProblem(
    gpu,
    sabotaged(problem, {
      [wrong!]: rewrite("fma(", "fma(1.001 * "),
      [partial!]: (dispatch) => ({ ...dispatch, workgroups: [1, 1, 1] }),
      [invalid!]: rewrite("fn main(", "fn main(nonsense, "),
    }),
    5,
  );
  assertEquals(refused.map(({ tile }) => tile), [wrong, partial, invalid]);
  assertMatch(refused[0]!.reason, /^off by 1\.\de-3 \(allowed 1\.\de-5\)$/);
  assertMatch(refused[1]!.reason, /^off by /);
  assertMatch(refused[2]!.reason, /^Cannot compile kernel/);
  assertEquals(checked, 2);
  assert([usual, right].includes(choice.tile));
});

Deno.test("tuneProblem() tunes nothing where the default itself gives no numbers", async () => {
  const problem = problems[0]!;
  const broken = sabotaged(problem, {
    [problem.candidates[0]!]: rewrite("fn main(", "fn main(nonsense, "),
  });
  await assertRejects(() => tuneProblem(gpu, broken, 2), Error, `Cannot tune ${problem.key}: tile`);
});
