import { assertEquals, assertThrows } from "@std/assert";
import { matchClasses, reorderClasses } from "./match_classes.ts";

const LABELS = ["n01440764 tench, Tinca tinca", "n02012849 crane", "n03126707 crane"];
const WHAT = { names: "data", labels: "model" };

Deno.test("matchClasses() goes by names, WordNet ids and indices", () => {
  const cases: [string[], string[], number[]][] = [
    [["cat", "dog"], ["cat", "dog"], [0, 1]],
    [["dog"], ["cat", "dog"], [1]],
    [["1", "0"], ["0", "1"], [1, 0]],
    [["n03126707", "n01440764_tench"], LABELS, [2, 0]],
    [["2", "0"], LABELS, [2, 0]],
  ];
  for (const [names, labels, places] of cases) {
    assertEquals([...matchClasses(names, labels, WHAT)], places);
  }
});

Deno.test("matchClasses() refuses names that mean nothing, or several labels", () => {
  const cases: [string[], string[]][] = [
    [["crane"], ["crane", "crane"]],
    [["tench"], LABELS],
    [["n99999999"], LABELS],
    [["3"], LABELS],
    [["n02012849", "tench"], LABELS],
  ];
  for (const [names, labels] of cases) {
    assertThrows(() => matchClasses(names, labels, WHAT), Error, "by index from 0");
  }
});

Deno.test("reorderClasses() gives each image's probabilities in another order", () => {
  const order = Uint32Array.from([2, 0, 1]);
  const ours = reorderClasses(Float32Array.from([0, 1, 2, 3, 4, 5]), order);
  assertEquals([...ours], [2, 0, 1, 5, 3, 4]);
});
