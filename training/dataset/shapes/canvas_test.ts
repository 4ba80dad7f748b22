import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { Canvas } from "./canvas.ts";
import { circle, halfPlane } from "./distance.ts";

const red = (canvas: Canvas) => canvas.pixels.filter((_, i) => i % 3 === 0);

Deno.test("Canvas.paint() covers a pixel by as much as the shape does", () => {
  const canvas = new Canvas(64);
  const radius = 0.5;
  canvas.paint(circle([0.1, -0.2], radius), [1, 0.5, 0]);
  const covered = red(canvas).reduce((sum, value) => sum + value, 0) * (2 / 64) ** 2;
  assertAlmostEquals(covered, Math.PI * radius ** 2, 0.002);
});

Deno.test("Canvas.paint() antialiases an edge through the middle of a pixel to one half", () => {
  const canvas = new Canvas(4);
  // The centre of the second column is at x = -0.25.
  canvas.paint(halfPlane([-0.25, 0], 0), [1, 1, 1]);
  assertEquals([...red(canvas)].slice(0, 4), [1, 0.5, 0, 0]);
});

Deno.test("Canvas.paint() mixes by opacity and leaves what is outside its bounds", () => {
  const canvas = new Canvas(8);
  canvas.paint(() => -1, [0.5, 0, 0]);
  canvas.paint(() => -1, [1, 0, 0], { opacity: 0.5, bounds: { x: -1, y: -1, radius: 0.1 } });
  assertEquals(canvas.pixels[0], 0.75);
  assertEquals(red(canvas)[63], 0.5);
});

Deno.test("Canvas.paint() asks a shader for the colour of each place", () => {
  const canvas = new Canvas(4);
  canvas.paint(() => -1, (x, y, out) => out.set([x, y, 1]));
  assertEquals([...canvas.pixels.slice(0, 6)], [-0.75, -0.75, 1, -0.25, -0.75, 1]);
});

Deno.test("Canvas.trace() looks distances up, infinite outside bounds, and bounds the inside", () => {
  const canvas = new Canvas(32);
  const disc = circle([0.5, 0.25], 0.25);
  const traced = canvas.trace(disc, { x: 0.5, y: 0.5, radius: 0.6 });
  for (const column of [20, 24, 28]) {
    const x = (column + 0.5) * 2 / 32 - 1;
    assertAlmostEquals(traced.distance(x, x), disc(x, x), 1e-6);
  }
  assertEquals([traced.distance(-0.5, -0.5), traced.distance(5, 0)], [Infinity, Infinity]);
  assertEquals(traced.bounds, { x: 0.5, y: 0.25, radius: 0.25 });
});

Deno.test("Canvas.blur() spreads a point over three by three and keeps the sum", () => {
  const canvas = new Canvas(5);
  canvas.pixels[(2 * 5 + 2) * 3] = 9;
  canvas.blur(1);
  const values = red(canvas);
  const near = [6, 7, 8, 11, 12, 13, 16, 17, 18];
  values.forEach((value, i) => assertAlmostEquals(value, near.includes(i) ? 1 : 0, 1e-6));
  const half = new Canvas(5);
  half.pixels[(2 * 5 + 2) * 3] = 9;
  half.blur(0.5);
  assert(red(half)[12]! > red(half)[11]! && red(half)[11]! > 0);
});
