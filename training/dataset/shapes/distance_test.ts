import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  box,
  circle,
  type Distance,
  halfPlane,
  intersect,
  lens,
  polygon,
  ring,
  subtract,
  taper,
  union,
} from "./distance.ts";

/** Checks a distance at points whose answer is known by hand. */
function check(distance: Distance, known: [x: number, y: number, expected: number][]): void {
  for (const [x, y, expected] of known) {
    assertAlmostEquals(distance(x, y), expected, 1e-12, `at ${x}, ${y}`);
  }
}

Deno.test("circle(), ring() and halfPlane() measure to their outline", () => {
  check(circle([1, 2], 2), [[1, 2, -2], [4, 6, 3], [3, 2, 0]]);
  check(ring([0, 0], 2, 1), [[0, 0, 1.5], [2, 0, -0.5], [0, 4, 1.5]]);
  check(halfPlane([0, 1], Math.PI / 2), [[9, 1, 0], [0, 3, 2], [5, -1, -2]]);
});

Deno.test("box() measures to its sides within and to its corners without", () => {
  check(box([1, 1], 2, 1), [[1, 1, -1], [1, 3, 1], [6, 6, 5], [2.5, 1, -0.5]]);
});

Deno.test("taper() has round ends and a radius that runs from one to the other", () => {
  check(taper([0, 0], [4, 0], 1), [[2, 0, -1], [2, 3, 2], [-3, 0, 2], [7, 4, 4]]);
  check(taper([0, 0], [4, 0], 1, 2), [[2, 0, -1.5], [4, 0, -2], [0, 0, -1]]);
});

Deno.test("polygon() is negative within, also where it is not convex", () => {
  const ell = polygon([[0, 0], [4, 0], [4, 1], [1, 1], [1, 4], [0, 4]]);
  check(ell, [[0.5, 3, -0.5], [3, 0.5, -0.5], [2, 2, 1], [-3, -4, 5], [3, 1.25, 0.25]]);
});

Deno.test("polygon() gives the distance to the nearest of its edges' points", () => {
  const corners = [[0, -1], [0.3, -0.2], [1, 0.4], [-0.2, 0.7], [-0.9, -0.1]] as const;
  const distance = polygon(corners);
  for (let i = 0; i < 200; i++) {
    const x = 3 * Math.sin(i * 12.9), y = 3 * Math.cos(i * 7.7);
    let nearest = Infinity;
    corners.forEach(([ax, ay], k) => {
      const [bx, by] = corners[(k + 1) % corners.length]!;
      for (let t = 0; t <= 1; t += 0.001) {
        nearest = Math.min(nearest, Math.hypot(ax + t * (bx - ax) - x, ay + t * (by - ay) - y));
      }
    });
    assertAlmostEquals(Math.abs(distance(x, y)), nearest, 1e-3);
  }
});

Deno.test("lens() passes through its ends and is as wide as its bulge", () => {
  const leaf = lens([0, -2], [0, 2], 0.5);
  check(leaf, [[0, -2, 0], [0, 2, 0], [1, 0, 0], [-1, 0, 0], [0, 0, -1]]);
  assert(leaf(1, 1) > 0 && leaf(0.4, 1) < 0);
});

Deno.test("union(), intersect() and subtract() combine insides", () => {
  const a = circle([0, 0], 1), b = circle([1, 0], 1), c = circle([9, 9], 1);
  const inside = (distance: Distance) => [-0.5, 0.5, 1.5, 3].map((x) => distance(x, 0) < 0);
  assertEquals(inside(union(a, b)), [true, true, true, false]);
  assertEquals(inside(union(a, b, c)), [true, true, true, false]);
  assertEquals(inside(intersect(a, b)), [false, true, false, false]);
  assertEquals(inside(subtract(a, b)), [true, false, false, false]);
});
