import { assert, assertEquals } from "@std/assert";
import { initialValues, layOutParameters } from "../graph/parameters.ts";
import { MODELS } from "../models/models.ts";
import { growHead } from "./grow_head.ts";

const SEED = 5;
const OLD = ["b", "d"];
const NEW = ["a", "b", "c", "d"];

/** Weights that say where they were: no two are equal. */
function counted(classes: number): Map<string, Float32Array<ArrayBuffer>> {
  const values = initialValues(layOutParameters(MODELS.lenet5.build(classes)), SEED);
  let count = 1000;
  for (const each of values.values()) each.forEach((_, i) => each[i] = count++);
  return values;
}

Deno.test("growHead() keeps each class's row wherever it stands, and begins new rows anew", () => {
  const graph = MODELS.lenet5.build(NEW.length);
  const old = counted(OLD.length);
  const fresh = initialValues(layOutParameters(graph), SEED);
  const grown = growHead(graph, NEW, { weights: old, classes: OLD }, SEED)!;
  assertEquals([...grown.keys()], [...fresh.keys()]);
  for (const name of grown.keys()) {
    if (!name.startsWith("fc3.")) assertEquals(grown.get(name), old.get(name), name);
  }
  for (const [name, row] of [["fc3.weight", 84], ["fc3.bias", 1]] as const) {
    const rowOf = (values: Float32Array, c: number) => values.slice(c * row, (c + 1) * row);
    const [now, before, random] = [grown, old, fresh].map((values) => values.get(name)!);
    assertEquals(rowOf(now!, 1), rowOf(before!, 0));
    assertEquals(rowOf(now!, 3), rowOf(before!, 1));
    for (const c of [0, 2]) assertEquals(rowOf(now!, c), rowOf(random!, c));
  }
});

Deno.test("growHead() also forgets classes, and takes over nothing from another network", () => {
  const fewer = growHead(
    MODELS.lenet5.build(1),
    ["d"],
    { weights: counted(2), classes: OLD },
    SEED,
  )!;
  assertEquals(fewer.get("fc3.weight"), counted(2).get("fc3.weight")!.slice(84));
  const other = MODELS["cifar10-quick"].build(2);
  assertEquals(growHead(other, OLD, { weights: counted(2), classes: OLD }, SEED), null);
  const wide = counted(2);
  wide.set("fc1.weight", new Float32Array(7));
  assertEquals(growHead(MODELS.lenet5.build(2), OLD, { weights: wide, classes: OLD }, SEED), null);
  assert(growHead(MODELS.lenet5.build(2), OLD, { weights: counted(2), classes: OLD }, SEED));
});
