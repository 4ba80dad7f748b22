import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fixtures from "./fixtures/paired_comparisons.json" with { type: "json" };
import { holm } from "./holm.ts";
import { upperQuantile, upperTail } from "./normal.ts";
import {
  differenceInterval,
  imagesNeeded,
  lossMidP,
  mcnemar,
  nonInferiorityP,
  type PairedCounts,
  scoreOf,
} from "./paired_comparison.ts";

function assertNear(actual: number, expected: number, relative: number, what: string): void {
  assertAlmostEquals(actual, expected, relative * Math.abs(expected) + 1e-300, what);
}

Deno.test("upperTail() and upperQuantile() equal SciPy's normal distribution", () => {
  for (const [z, p] of fixtures.tails) assertNear(upperTail(z!), p!, 1e-11, `z ${z}`);
  for (const [p, z] of fixtures.quantiles) assertAlmostEquals(upperQuantile(p!), z!, 1e-11);
});

Deno.test("scoreOf() and its p are Tango's, by SciPy's optimiser", () => {
  for (const pair of fixtures.pairs) {
    const what = JSON.stringify(pair);
    // The optimiser finds the maximum to about 1e-8 of its place; the score follows it linearly.
    assertNear(scoreOf(pair, -pair.margin), pair.score, 1e-5, what);
    assertNear(nonInferiorityP(pair, pair.margin), pair.p, 1e-3, what);
  }
});

Deno.test("differenceInterval() is where SciPy's root finder sees Tango's score", () => {
  for (const pair of fixtures.pairs) {
    differenceInterval(pair, 0.05).forEach((bound, side) => {
      const expected = pair.interval[side];
      if (typeof expected === "number") {
        assertAlmostEquals(bound, expected, 1e-6, JSON.stringify(pair));
      } else assertEquals(Math.abs(bound), 1, "the score crosses nowhere");
    });
  }
});

Deno.test("differenceInterval() and mcnemar() give a published example", () => {
  // Airway hyper-responsiveness of 21 children: Fagerland, Lydersen and Laake 2013 and 2014.
  const pair = { images: 21, gained: 1, lost: 7 };
  const [low, high] = differenceInterval(pair, 0.025);
  assertAlmostEquals(low, -0.517, 5e-4);
  assertAlmostEquals(high, -0.026, 5e-4);
  assertAlmostEquals(mcnemar(pair).exact, 0.0703, 5e-5);
  assertAlmostEquals(mcnemar(pair).midP, 0.0391, 5e-5);
});

Deno.test("mcnemar() and lossMidP() equal statsmodels and SciPy", () => {
  for (const pair of fixtures.pairs) {
    const { exact, midP } = mcnemar(pair);
    assertNear(exact, pair.exact, 1e-9, "exact");
    assertNear(midP, pair.midP, 1e-9, "mid-p");
    assertNear(lossMidP(pair), pair.lossMidP, 1e-9, "one-sided mid-p");
  }
});

Deno.test("holm() equals statsmodels", () => {
  for (const [ps, expected] of fixtures.holm) {
    holm(ps as number[]).forEach((p, i) =>
      assertAlmostEquals(p, (expected as number[])[i]!, 1e-12)
    );
  }
  assertEquals(holm([]), []);
});

/** Counts over a grid, without the random: every failure names itself. */
function* grid(): Generator<PairedCounts> {
  for (const images of [12, 60, 450, 3000]) {
    for (const gained of [0, 1, 5, 12]) {
      for (const lost of [0, 1, 4, 12]) {
        if (gained + lost <= images) yield { images, gained, lost };
      }
    }
  }
}

Deno.test("the statistics treat gains and losses as mirror images", () => {
  for (const { images, gained, lost } of grid()) {
    const [pair, mirror] = [{ images, gained, lost }, { images, gained: lost, lost: gained }];
    for (const difference of [-0.2, -0.03, 0, 0.1]) {
      // Where the likelihood's two maxima meet, a square root halves the digits.
      assertAlmostEquals(scoreOf(pair, difference), -scoreOf(mirror, -difference), 1e-6);
    }
    assertEquals(mcnemar(pair), mcnemar(mirror));
    const [low, high] = differenceInterval(pair, 0.05);
    const [mirrorLow, mirrorHigh] = differenceInterval(mirror, 0.05);
    assertAlmostEquals(low, -mirrorHigh, 1e-9);
    assertAlmostEquals(high, -mirrorLow, 1e-9);
  }
});

Deno.test("at a difference of 0 Tango's score is McNemar's", () => {
  for (const pair of grid()) {
    const { gained, lost } = pair;
    const expected = gained + lost === 0 ? 0 : (gained - lost) / Math.sqrt(gained + lost);
    assertAlmostEquals(scoreOf(pair, 0), expected, 1e-9);
  }
});

Deno.test("more gains, fewer losses or a wider margin never speak against a candidate", () => {
  for (const pair of grid()) {
    const p = nonInferiorityP(pair, 0.05);
    const { images, gained, lost } = pair;
    if (gained + lost < images) {
      assert(nonInferiorityP({ ...pair, gained: gained + 1 }, 0.05) <= p + 1e-12);
      assert(nonInferiorityP({ ...pair, lost: lost + 1 }, 0.05) >= p - 1e-12);
    }
    assert(nonInferiorityP(pair, 0.06) <= p + 1e-12);
    const [low] = differenceInterval(pair, 0.05);
    assertEquals(p < 0.05, low > -0.05, "the test and the interval agree");
  }
});

Deno.test("more images of the same kind narrow the interval, and decide", () => {
  for (const pair of grid()) {
    const more = { images: 10 * pair.images, gained: 10 * pair.gained, lost: 10 * pair.lost };
    const [low, high] = differenceInterval(pair, 0.05);
    const [closerLow, closerHigh] = differenceInterval(more, 0.05);
    assert(closerHigh - closerLow < high - low, JSON.stringify(pair));
  }
  const equal = { images: 200, gained: 10, lost: 10 };
  assert(nonInferiorityP(equal, 0.02) > 0.05, "200 images do not show 2 %");
  assert(nonInferiorityP({ images: 2000, gained: 100, lost: 100 }, 0.02) < 0.05, "2,000 do");
});

Deno.test("imagesNeeded() is where the decision turns", () => {
  const bar = { margin: 0.02, significance: 0.05 };
  const needed = imagesNeeded({ images: 200, gained: 10, lost: 10 }, bar)!;
  assert(needed > 600 && needed < 750, String(needed));
  const at = (images: number) =>
    nonInferiorityP({ images, gained: images / 20, lost: images / 20 }, bar.margin);
  assert(at(needed) < bar.significance + 1e-9);
  assert(at(needed - 1) > bar.significance - 1e-9);
  assertEquals(imagesNeeded({ images: 100, gained: 1, lost: 3 }, bar), null, "2 % worse");
});

Deno.test("the false promotions of a model worse by the margin stay near the level", () => {
  // Every outcome of 300 images with a true loss of exactly the margin, weighted by its chance.
  const [images, margin, gain] = [300, 0.05, 0.04];
  const chances = { gained: gain, lost: gain + margin };
  let promoted = 0;
  for (let lost = 0; lost <= 90; lost++) {
    for (let gained = 0; gained <= 60; gained++) {
      if (nonInferiorityP({ images, gained, lost }, margin) >= 0.05) continue;
      promoted += Math.exp(
        logChoose(images, lost) + logChoose(images - lost, gained) +
          lost * Math.log(chances.lost) + gained * Math.log(chances.gained) +
          (images - lost - gained) * Math.log(1 - chances.lost - chances.gained),
      );
    }
  }
  assert(promoted > 0.03 && promoted < 0.06, String(promoted));
});

function logChoose(n: number, k: number): number {
  let sum = 0;
  for (let i = 1; i <= k; i++) sum += Math.log((n - k + i) / i);
  return sum;
}
