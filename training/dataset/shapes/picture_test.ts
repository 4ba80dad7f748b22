import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { createHash } from "node:crypto";
import { drawShape, SHAPE_CLASSES, type SplitName } from "./picture.ts";

const SIDE = 32;
const draw = (split: SplitName, index: number, seed = 1) =>
  drawShape({ seed, split, index, side: SIDE });
const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

Deno.test("drawShape() draws the same picture again, another for another seed or index", () => {
  assertEquals(draw("train", 17), draw("train", 17));
  assertEquals(draw("train", 17).length, SIDE * SIDE * 3);
  assertNotEquals(hash(draw("train", 17)), hash(draw("train", 17, 2)));
  assertNotEquals(hash(draw("train", 17)), hash(draw("train", 27)));
});

Deno.test("drawShape() never draws a picture twice, within a split or across splits", () => {
  const hashes = new Set<string>();
  const splits: SplitName[] = ["train", "validation", "test"];
  for (const split of splits) for (let i = 0; i < 500; i++) hashes.add(hash(draw(split, i)));
  assertEquals(hashes.size, 1500);
});

Deno.test("drawShape() rejects an index beyond its split's streams", () => {
  for (const index of [-1, 0.5, 2 ** 32]) assertThrows(() => draw("train", index), RangeError);
});

Deno.test("SHAPE_CLASSES are ten", () => {
  assertEquals(
    SHAPE_CLASSES.join(" "),
    "ball crescent fish gear heart key leaf mushroom star umbrella",
  );
});

/** Mean of each channel over the whole picture and over its border. */
function colors(picture: Uint8Array): number[] {
  const sums = new Array<number>(6).fill(0);
  const border = (at: number) => at < 3 || at >= SIDE - 3;
  let edgePixels = 0;
  for (let i = 0; i < picture.length; i += 3) {
    const isEdge = border(i / 3 % SIDE) || border(Math.floor(i / 3 / SIDE));
    if (isEdge) edgePixels++;
    for (let channel = 0; channel < 3; channel++) {
      sums[channel]! += picture[i + channel]! / (SIDE * SIDE);
      if (isEdge) sums[3 + channel]! += picture[i + channel]!;
    }
  }
  return sums.map((sum, i) => i < 3 ? sum : sum / edgePixels);
}

Deno.test("drawShape() gives a class away by neither its colour nor its background's", () => {
  const classes = SHAPE_CLASSES.length;
  const describe = (split: SplitName, count: number) =>
    Array.from({ length: count }, (_, index) => colors(draw(split, index)));
  const trained = describe("train", 1000);
  const distance = (a: number[], b: number[]) => a.reduce((sum, v, i) => sum + (v - b[i]!) ** 2, 0);

  let right = 0;
  const tested = describe("test", 500);
  tested.forEach((features, index) => {
    // Seven nearest neighbours: finds whatever structure there is, not only linear.
    const nearest = trained.map((other, i) => ({
      label: i % classes,
      far: distance(features, other),
    }))
      .sort((a, b) => a.far - b.far).slice(0, 7);
    const votes = new Array<number>(classes).fill(0);
    for (const { label } of nearest) votes[label]!++;
    if (votes.indexOf(Math.max(...votes)) === index % classes) right++;
  });
  // Chance is 10 %, with a deviation of 1.3 over 500.
  assert(right / tested.length < 0.16, `colours alone tell ${right} of ${tested.length}`);
});
