import type { Random } from "../../random.ts";
import type { Color } from "./canvas.ts";

/** Any hue, any saturation, bright or dark. */
export function anyColor(random: Random): Color {
  const hue = random.float() * 6;
  const saturation = random.between(0, 0.9);
  const value = random.between(0.12, 1);
  const channel = (n: number) => {
    const k = (n + hue) % 6;
    return value * (1 - saturation * Math.max(0, Math.min(k, 4 - k, 1)));
  };
  return [channel(5), channel(3), channel(1)];
}

/** A colour near another one: each channel moves by at most `reach`. */
export function near([r, g, b]: Color, reach: number, random: Random): Color {
  const move = (channel: number) =>
    Math.max(0, Math.min(1, channel + random.between(-reach, reach)));
  return [move(r), move(g), move(b)];
}

/** Difference of two colours, weighed by what each channel adds to brightness; 0 to 1. */
export function contrast(a: Color, b: Color): number {
  return Math.sqrt(
    0.3 * (a[0] - b[0]) ** 2 + 0.59 * (a[1] - b[1]) ** 2 + 0.11 * (a[2] - b[2]) ** 2,
  );
}

/** A random colour that can be told from all of `others`; the best of many where none is clear. */
export function colorApartFrom(others: readonly Color[], least: number, random: Random): Color {
  let best: Color = [0, 0, 0];
  let bestContrast = -1;
  for (let attempt = 0; attempt < 24 && bestContrast < least; attempt++) {
    const candidate = anyColor(random);
    const lowest = Math.min(...others.map((other) => contrast(candidate, other)));
    if (lowest > bestContrast) [best, bestContrast] = [candidate, lowest];
  }
  return best;
}
