import type { Random } from "../../random.ts";
import type { Color, Shader } from "./canvas.ts";

/** A pattern over the plane, 0 to 1. */
export type Pattern = (x: number, y: number) => number;

const LATTICE = 16;

/** Random values on a lattice, smoothly joined, in two octaves; `scale` is cells over the canvas. */
export function noise(random: Random, scale: number): Pattern {
  const values = Float32Array.from({ length: LATTICE * LATTICE }, () => random.float());
  const octave: Pattern = (x, y) => {
    const column = Math.floor(x), row = Math.floor(y);
    const fx = x - column, fy = y - row;
    const sx = fx * fx * (3 - 2 * fx), sy = fy * fy * (3 - 2 * fy);
    const left = column & (LATTICE - 1), right = (column + 1) & (LATTICE - 1);
    const top = (row & (LATTICE - 1)) * LATTICE, bottom = ((row + 1) & (LATTICE - 1)) * LATTICE;
    const above = values[top + left]! + (values[top + right]! - values[top + left]!) * sx;
    const below = values[bottom + left]! + (values[bottom + right]! - values[bottom + left]!) * sx;
    return above + (below - above) * sy;
  };
  const k = scale / 2;
  return (x, y) => (2 * octave(x * k, y * k) + octave(x * k * 2.3 + 5, y * k * 2.3 + 9)) / 3;
}

/** A smooth step from 0 to 1 where a wave crosses zero. */
function edge(wave: number): number {
  const t = 0.5 + 1.5 * wave;
  return t < 0 ? 0 : t > 1 ? 1 : t;
}

const kinds: ((random: Random) => Pattern)[] = [
  () => () => 0.5,
  (random) => noise(random, random.between(2, 5)),
  (random) => noise(random, random.between(6, 14)),
  function stripes(random) {
    const angle = random.between(0, Math.PI), frequency = random.between(6, 26);
    const kx = Math.cos(angle) * frequency, ky = Math.sin(angle) * frequency;
    return (x, y) => edge(Math.sin(kx * x + ky * y));
  },
  function checks(random) {
    const angle = random.between(0, Math.PI), frequency = random.between(5, 16);
    const kx = Math.cos(angle) * frequency, ky = Math.sin(angle) * frequency;
    return (x, y) => edge(Math.sin(kx * x + ky * y) * Math.sin(ky * x - kx * y));
  },
  function dots(random) {
    const angle = random.between(0, Math.PI), frequency = random.between(6, 16);
    const size = random.between(-0.2, 0.9);
    const kx = Math.cos(angle) * frequency, ky = Math.sin(angle) * frequency;
    return (x, y) => edge(Math.cos(kx * x + ky * y) + Math.cos(ky * x - kx * y) - size);
  },
  function grain(random) {
    const cx = random.between(-2, 2), cy = random.between(-2, 2);
    const frequency = random.between(8, 22), warp = noise(random, 4);
    return (x, y) =>
      edge(Math.sin(frequency * (Math.sqrt((x - cx) ** 2 + (y - cy) ** 2) + 0.4 * warp(x, y))));
  },
];

/** One of seven kinds of pattern: plain, cloudy, rough, stripes, checks, dots, wood grain. */
export function anyPattern(random: Random): Pattern {
  return kinds[random.below(kinds.length)]!(random);
}

/** Mixes two colours by a pattern. */
export function blend(from: Color, to: Color, pattern: Pattern): Shader {
  return (x, y, out) => {
    const t = pattern(x, y);
    for (let i = 0; i < 3; i++) out[i] = from[i]! + (to[i]! - from[i]!) * t;
  };
}
