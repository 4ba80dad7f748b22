/**
 * All parameters in one arena, all gradients in a second, all momenta in a third, at the same
 * places. Parameters with equal update rules are neighbours, so that an update is one dispatch a
 * group and not one a tensor.
 * @module
 */
import { nearestName } from "../nearest_name.ts";
import { type ParameterSpec, updateRule, type UpdateRules } from "../ops/op.ts";
import type { ParameterGroup } from "../optimizers/sgd.ts";
import { Random } from "../random.ts";
import type { Graph } from "./graph.ts";

/**
 * Bindings start at multiples of 256, WebGPU's default minStorageBufferOffsetAlignment; in a copy of
 * half the size too.
 */
const ALIGNMENT = 512;

export interface ParameterSlot {
  /** "conv1.weight" */
  readonly name: string;
  readonly node: number;
  readonly index: number;
  readonly spec: ParameterSpec;
  /** Bytes from the arena's start. */
  readonly offset: number;
  readonly size: number;
}

export interface ParameterArena {
  /** In the order of the graph. */
  readonly slots: readonly ParameterSlot[];
  readonly groups: readonly ParameterGroup[];
  readonly bytes: number;
}

/** Values by parameter name, in ONNX's layout. */
export type ParameterValues = Map<string, Float32Array<ArrayBuffer>>;

/** Update rules by layer, over those that the layers bring. */
export type LayerRules = Readonly<Record<string, UpdateRules>>;

/** @throws {RangeError} on rules for a layer that there is not, or that has no parameters. */
export function layOutParameters(graph: Graph, rules: LayerRules = {}): ParameterArena {
  expectLayers(graph, rules);
  const all = graph.nodes.flatMap((node, nodeIndex) =>
    node.parameters.map((spec, index) => ({
      name: `${node.name}.${spec.name}`,
      node: nodeIndex,
      index,
      spec: { ...spec, update: updateRule(rules[node.name]?.[spec.name], spec.update) },
    }))
  );
  const byKey = Map.groupBy(all, ({ spec: { update } }) => JSON.stringify(update));
  const slots: ParameterSlot[] = [];
  const groups: ParameterGroup[] = [];
  let offset = 0;
  for (const members of byKey.values()) {
    const start = offset;
    for (const member of members) {
      slots.push({ ...member, offset, size: member.spec.floats * 4 });
      offset += Math.ceil(member.spec.floats * 4 / ALIGNMENT) * ALIGNMENT;
    }
    groups.push({ update: members[0]!.spec.update, offset: start, size: offset - start });
  }
  slots.sort((a, b) => a.node - b.node || a.index - b.index);
  return { slots, groups, bytes: offset };
}

function expectLayers(graph: Graph, rules: LayerRules): void {
  const layers = graph.nodes.filter(({ parameters }) => parameters.length > 0)
    .map(({ name }) => name);
  for (const name of Object.keys(rules)) {
    if (layers.includes(name)) continue;
    const nearest = nearestName(name, layers);
    const hint = nearest === undefined
      ? `expected ${layers.join(", ")}`
      : `did you mean ${nearest}?`;
    throw new RangeError(`Cannot update ${name}: ${graph.name} has no such layer (${hint})`);
  }
}

/** Initial values of every parameter, a pure function of the seed and the parameter's place. */
export function initialValues(arena: ParameterArena, seed: number): ParameterValues {
  return new Map(arena.slots.map(({ name, spec }, stream) => {
    const count = spec.shape.reduce((product, size) => product * size, 1);
    const values = new Float32Array(count);
    const { init } = spec;
    if (init.kind === "constant") {
      values.fill(init.value);
    } else {
      const random = new Random(seed, stream);
      for (let i = 0; i < count; i++) values[i] = init.std * random.normal();
    }
    return [name, values];
  }));
}

/**
 * Values in ONNX's layout to the arena's bytes.
 *
 * @throws {RangeError} on a missing, unknown or wrongly sized parameter, by name.
 */
export function packArena(
  arena: ParameterArena,
  values: ParameterValues,
): Float32Array<ArrayBuffer> {
  const known = new Set(arena.slots.map((slot) => slot.name));
  for (const name of values.keys()) {
    if (!known.has(name)) {
      throw new RangeError(`Cannot load parameters: ${name} is not in the network`);
    }
  }
  const packed = new Float32Array(arena.bytes / 4);
  for (const { name, spec, offset } of arena.slots) {
    const own = values.get(name);
    const count = spec.shape.reduce((product, size) => product * size, 1);
    if (own?.length !== count) {
      throw new RangeError(
        `Cannot load parameters: ${name} has ${own?.length ?? 0} numbers ` +
          `(expected ${spec.shape.join(" x ")})`,
      );
    }
    packed.set(spec.pack(own), offset / 4);
  }
  return packed;
}

/** The arena's bytes to values in ONNX's layout. */
export function unpackArena(arena: ParameterArena, packed: Float32Array): ParameterValues {
  return new Map(arena.slots.map(({ name, spec, offset }) => {
    return [name, spec.unpack(packed.subarray(offset / 4, offset / 4 + spec.floats))];
  }));
}
