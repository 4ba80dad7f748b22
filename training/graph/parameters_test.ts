import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { conv } from "../ops/conv/conv.ts";
import { flatten } from "../ops/flatten/flatten.ts";
import { gemm } from "../ops/gemm/gemm.ts";
import { imageShape, updateRule } from "../ops/op.ts";
import { Graph } from "./graph.ts";
import { initialValues, layOutParameters, packArena, unpackArena } from "./parameters.ts";

const ALIGNMENT = 512;

function graphOf(): Graph {
  const graph = new Graph("small", imageShape(3, 8, 8));
  const bias = { biasInit: { kind: "constant", value: 1 } } as const;
  const rates = { update: { bias: { rateMultiplier: 2, decayMultiplier: 0 } } };
  const init = { kind: "normal", std: 0.1 } as const;
  let x = graph.input;
  x = graph.add(
    "conv1",
    conv({ outChannels: 6, kernel: [3, 3], weightInit: init, ...bias, ...rates }),
    x,
  );
  x = graph.add("conv2", conv({ outChannels: 10, kernel: [2, 3], weightInit: init, ...rates }), x);
  x = graph.add("flat", flatten(), x);
  graph.add("fc", gemm({ outputs: 150, weightInit: init }), x);
  return graph;
}

const arena = layOutParameters(graphOf());

Deno.test("layOutParameters() makes neighbours of equal multipliers, without overlap", () => {
  assertEquals(arena.slots.map(({ name }) => name), [
    ...["conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias", "fc.weight", "fc.bias"],
  ]);
  assertEquals(
    arena.groups.map(({ update }) => update),
    [updateRule(), updateRule({ rateMultiplier: 2, decayMultiplier: 0 })],
  );
  let end = 0;
  for (const group of arena.groups) {
    assertEquals(group.offset, end);
    end += group.size;
  }
  assertEquals(arena.bytes, end);
  const byPlace = arena.slots.toSorted((a, b) => a.offset - b.offset);
  let free = 0;
  for (const { name, offset, size, spec } of byPlace) {
    assertEquals(offset % ALIGNMENT, 0);
    assertEquals(size, spec.floats * 4);
    assert(offset >= free, `${name} overlaps what lies before it`);
    const group = arena.groups.find((group) =>
      offset >= group.offset && offset + size <= group.offset + group.size
    );
    assertEquals(group?.update, spec.update);
    free = offset + size;
  }
  assert(free <= arena.bytes);
});

Deno.test("packArena() and unpackArena() give back every number", () => {
  const values = initialValues(arena, 3);
  const packed = packArena(arena, values);
  assertEquals(packed.byteLength, arena.bytes);
  assertEquals(unpackArena(arena, packed), values);
});

Deno.test("initialValues() follow seed and distribution", () => {
  const values = initialValues(arena, 3);
  assertEquals(values, initialValues(arena, 3));
  const weights = values.get("fc.weight")!;
  assertNotEquals(weights, initialValues(arena, 4).get("fc.weight"));
  const mean = weights.reduce((sum, value) => sum + value, 0) / weights.length;
  const square = weights.reduce((sum, value) => sum + value * value, 0) / weights.length;
  // 36,000 numbers: the mean's deviation is 0.0005, that of the deviation 0.0004.
  assert(Math.abs(mean) < 0.003, `mean ${mean}`);
  assert(Math.abs(Math.sqrt(square) - 0.1) < 0.002, `deviation ${Math.sqrt(square)}`);
  assertNotEquals(values.get("conv1.weight")!.slice(0, 50), weights.slice(0, 50));
  assertEquals(values.get("conv1.bias"), new Float32Array(6).fill(1));
  assertEquals(values.get("fc.bias"), new Float32Array(150));
});

Deno.test("packArena() names the parameter that is wrong", () => {
  const values = initialValues(arena, 3);
  const without = new Map(values);
  without.delete("conv2.bias");
  assertThrows(() => packArena(arena, without), RangeError, "conv2.bias has 0 numbers");
  const short = new Map(values).set("fc.weight", new Float32Array(9));
  assertThrows(
    () => packArena(arena, short),
    RangeError,
    "fc.weight has 9 numbers (expected 150 x",
  );
  const more = new Map(values).set("fc9.weight", new Float32Array(9));
  assertThrows(() => packArena(arena, more), RangeError, "fc9.weight is not in the network");
});
