import type { OpTarget } from "../ops/op.ts";
import type { Graph } from "./graph.ts";
import type { ParameterArena } from "./parameters.ts";
import { plan } from "./plan.ts";

/**
 * Images of a batch to work on at a time: the largest divisor of it, up to `most`, with which no
 * tensor, and not the records of side x side x channels bytes, exceeds what the adapter binds and no dispatch has more workgroups in a dimension than it
 * allows.
 *
 * @throws {RangeError} where one image alone needs more.
 */
export function largestPart(
  graph: Graph,
  arena: ParameterArena,
  batch: number,
  target: OpTarget,
  { most = batch, side = 0, channels = 0 }: { most?: number; side?: number; channels?: number } =
    {},
): number {
  const recordBytes = side * side * channels;
  for (let parts = 1; parts <= batch; parts++) {
    if (batch % parts !== 0 || batch / parts > most) continue;
    const { slots, forward, backward } = plan(graph, arena, {
      batch: batch / parts,
      target,
      training: true,
    });
    const largestGrid = Math.max(...[...forward, ...backward].flatMap((each) => each.workgroups));
    const largest = Math.max(...slots, batch / parts * recordBytes);
    const fits = largest <= target.maxBindingBytes &&
      largestGrid <= target.maxWorkgroups;
    if (fits) return batch / parts;
  }
  throw new RangeError(
    `Cannot train ${graph.name}: one image needs a tensor of more than ${target.maxBindingBytes} ` +
      `bytes or a grid of more than ${target.maxWorkgroups} workgroups, which the adapter allows`,
  );
}
