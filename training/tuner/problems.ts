/** Which products a network has, and what each could be computed with. */
import { createHash } from "node:crypto";
import type { Graph, GraphNode } from "../graph/graph.ts";
import type { Plan } from "../graph/plan.ts";
import type { TileTable } from "../kernels/tile.ts";
import type { OpContext, OpDispatch, OpWork } from "../ops/op.ts";

/** One product of a network; layers of equal shapes have one in common. */
export interface TuningProblem {
  readonly key: string;
  /** The first node that has it, and what that node is asked. */
  readonly node: GraphNode;
  readonly direction: "forward" | "backward";
  readonly context: OpContext;
  /** Names of tiles, the cost model's choice first. */
  readonly candidates: readonly string[];
}

export function problemsOf(graph: Graph, { contexts }: Pick<Plan, "contexts">): TuningProblem[] {
  const problems = new Map<string, TuningProblem>();
  const add = (node: GraphNode, direction: TuningProblem["direction"], context: OpContext) => {
    for (const { problem } of workOf({ node, direction, context }).dispatches) {
      if (!problem || problems.has(problem.key)) continue;
      const { key, candidates } = problem;
      problems.set(key, { key, node, direction, context, candidates });
    }
  };
  graph.nodes.forEach((node, index) => add(node, "forward", contexts[index]!));
  graph.nodes.toReversed().forEach((node, index) => {
    const context = contexts[graph.nodes.length - 1 - index]!;
    if (context.training) add(node, "backward", context);
  });
  return [...problems.values()];
}

type Asked = Pick<TuningProblem, "node" | "direction" | "context">;

function workOf({ node, direction, context }: Asked, tiles?: TileTable): OpWork {
  const target = tiles ? { ...context.target, tiles } : context.target;
  return node.op[direction]({ ...context, target });
}

/** The dispatches of a problem with one of its candidates, and the scratch that they need. */
export function workWith(
  problem: TuningProblem,
  tile: string,
): { readonly dispatches: readonly OpDispatch[]; readonly scratchBytes: readonly number[] } {
  const { dispatches, scratchBytes = [] } = workOf(problem, new Map([[problem.key, tile]]));
  return {
    dispatches: dispatches.filter((dispatch) => dispatch.problem?.key === problem.key),
    scratchBytes,
  };
}

/** Of the kernels' text: a measurement holds while the code is the one that was measured. */
export function codeHash(dispatches: readonly OpDispatch[]): string {
  const hash = createHash("sha256");
  for (const { kernel } of dispatches) hash.update(kernel.code).update("\0");
  return hash.digest("hex").slice(0, 16);
}
