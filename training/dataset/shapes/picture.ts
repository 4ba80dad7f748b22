import { Random } from "../../random.ts";
import { type Bounds, Canvas, type Color } from "./canvas.ts";
import { anyColor, colorApartFrom, near } from "./color.ts";
import { box, circle, type Distance, polygon, ring, taper } from "./distance.ts";
import { type Figure, FIGURES } from "./figures.ts";
import { anyPattern, blend, noise } from "./texture.ts";

/** Names of the classes, in the order of their labels. */
export const SHAPE_CLASSES: readonly string[] = Object.keys(FIGURES);

/** Each split reads random streams of its own, so no two of them can draw the same picture. */
const SPLITS = { train: 0, validation: 1, test: 2 } as const;
export type SplitName = keyof typeof SPLITS;

export interface ShapeRequest {
  seed: number;
  split: SplitName;
  /** Which picture of the split, 0 to 2^32 - 1. Its label is `index` modulo the number of classes. */
  index: number;
  /** Height and width in pixels. */
  side: number;
}

/**
 * Draws one picture, a pure function of what is asked for.
 *
 * @returns [side, side, 3] bytes, interleaved RGB
 * @throws {RangeError} the seed or the index is not an integer in its range
 */
export function drawShape({ seed, split, index, side }: ShapeRequest): Uint8Array {
  if (!Number.isInteger(index) || index < 0 || index >= 2 ** 32) {
    throw new RangeError(`Cannot draw a shape: index is ${index} (expected 0 to 2^32 - 1)`);
  }
  const random = new Random(seed, SPLITS[split] * 2 ** 32 + index);
  const canvas = new Canvas(side);
  const ground = paintBackground(canvas, random);
  const make = FIGURES[SHAPE_CLASSES[index % SHAPE_CLASSES.length]!]!;
  const bounds = paintFigure(canvas, make(random), ground, random);
  paintOccluders(canvas, bounds, random);
  return expose(canvas, random);
}

/** A textured ground with clutter on it; returns its colours, which the figure must stand out from. */
function paintBackground(canvas: Canvas, random: Random): Color[] {
  const light = anyColor(random);
  const dark = near(light, 0.12, random);
  const everywhere: Distance = () => -1;
  canvas.paint(everywhere, blend(light, dark, anyPattern(random)));

  const colors = [light, dark];
  const angle = random.between(0, 2 * Math.PI);
  const [kx, ky] = [Math.cos(angle) / 2, Math.sin(angle) / 2];
  const far = near(light, 0.25, random);
  canvas.paint((x, y) => kx * x + ky * y, far, { softness: 1.4, opacity: random.between(0, 0.6) });

  for (let count = random.below(4); count > 0; count--) {
    const color = near(light, random.between(0.1, 0.3), random);
    const x = random.between(-1, 1), y = random.between(-1, 1);
    const { distance, radius } = clutter(random, x, y);
    canvas.paint(distance, color, {
      bounds: { x, y, radius },
      opacity: random.between(0.3, 0.9),
    });
  }
  return colors;
}

/** A disc, ring, bar, box, triangle or squiggle: like parts of the classes, but none of them. */
function clutter(random: Random, x: number, y: number): { distance: Distance; radius: number } {
  const radius = random.between(0.1, 0.35);
  const turn = random.between(0, 2 * Math.PI);
  const at = (angle: number, reach = radius) =>
    [x + reach * Math.cos(turn + angle), y + reach * Math.sin(turn + angle)] as const;
  const thickness = random.between(0.02, 0.07);
  const kinds: (() => Distance)[] = [
    () => circle([x, y], radius * 0.8),
    () => ring([x, y], radius * 0.8, thickness),
    () => taper(at(0), at(Math.PI), thickness),
    () => taper(at(0), at(Math.PI), 0.15 * radius, 0.4 * radius),
    () => box([x, y], radius * 0.7, radius * random.between(0.2, 0.7)),
    () => polygon([at(0), at(random.between(1.5, 2.6)), at(random.between(3.4, 4.8))]),
    () => polygon([at(0), at(1.57, radius * 0.6), at(3.14), at(4.71, radius * 0.6)]),
    () => (px, py) =>
      Math.max(
        Math.abs(py - y - 0.3 * radius * Math.sin((px - x) * 12 + turn)) - thickness,
        Math.abs(px - x) - radius * 0.8,
      ),
  ];
  return { distance: kinds[random.below(kinds.length)]!(), radius: radius + thickness };
}

/** Where a figure stands: turned, scaled, mirrored, sheared and a little squeezed. */
function paintFigure(canvas: Canvas, figure: Figure, ground: Color[], random: Random): Bounds {
  const scale = random.between(0.62, 0.85);
  const squeeze = Math.exp(random.between(-0.15, 0.15));
  const shear = random.between(-0.15, 0.15);
  const turn = random.between(-0.3, 0.3);
  const mirror = random.chance(0.5) ? -1 : 1;
  const room = Math.max(0.05, 0.85 - scale);
  const cx = random.between(-room, room), cy = random.between(-room, room);
  const cos = Math.cos(turn) / scale, sin = Math.sin(turn) / scale;
  const posed = (distance: Distance): Distance => (x, y) => {
    const u = (cos * (x - cx) + sin * (y - cy)) * squeeze * mirror;
    const v = (cos * (y - cy) - sin * (x - cx)) / squeeze;
    return distance(u + shear * v, v) * scale;
  };
  const reach = { x: cx, y: cy, radius: scale * 1.5 };
  const { distance: silhouette, bounds } = canvas.trace(posed(figure.silhouette), reach);
  const marks = posed(figure.marks);
  const body = colorApartFrom(ground, random.between(0.4, 0.55), random);
  const second = colorApartFrom([body, ground[0]!], random.between(0.25, 0.45), random);

  if (random.chance(0.5)) {
    const dx = random.between(-0.1, 0.1), dy = random.between(0, 0.12);
    canvas.paint((x, y) => silhouette(x - dx, y - dy), [0, 0, 0], {
      softness: random.between(0.04, 0.25),
      opacity: random.between(0.2, 0.5),
      bounds: { x: bounds.x + dx, y: bounds.y + dy, radius: bounds.radius + 0.1 },
    });
  }
  const grain = random.chance(0.25) ? anyPattern(random) : noise(random, random.between(2, 10));
  const skin = blend(body, near(body, 0.12, random), grain);
  canvas.paint(silhouette, skin, { bounds });
  canvas.paint(
    (x, y) => {
      const outside = silhouette(x, y);
      return outside > 0 ? outside : Math.max(outside, marks(x, y));
    },
    second,
    { bounds, opacity: random.between(0.7, 1) },
  );
  if (random.chance(0.3)) {
    const width = random.between(0.02, 0.05);
    const line: Distance = (x, y) => Math.abs(silhouette(x, y)) - width / 2;
    canvas.paint(line, random.chance(0.5) ? [0.05, 0.05, 0.05] : second, {
      bounds: { ...bounds, radius: bounds.radius + width },
    });
  }
  return bounds;
}

/** Up to two things in front of the figure: a bar across it, or a disc over its rim. */
function paintOccluders(canvas: Canvas, figure: Bounds, random: Random): void {
  for (let count = random.below(2); count > 0; count--) {
    const color = anyColor(random);
    const angle = random.between(0, 2 * Math.PI);
    const reach = figure.radius * random.between(0.3, 1.1);
    const x = figure.x + reach * Math.cos(angle), y = figure.y + reach * Math.sin(angle);
    if (random.chance(0.5)) {
      const radius = random.between(0.07, 0.16);
      canvas.paint(circle([x, y], radius), color, { bounds: { x, y, radius } });
    } else {
      const across = angle + Math.PI / 2 + random.between(-0.5, 0.5);
      const kx = -Math.sin(across), ky = Math.cos(across);
      const half = random.between(0.02, 0.05);
      canvas.paint((px, py) => Math.abs(kx * (px - x) + ky * (py - y)) - half, color);
    }
  }
}

/** What light and a cheap camera do: uneven light, blur, exposure, faded colour, noise; to bytes. */
function expose(canvas: Canvas, random: Random): Uint8Array {
  if (random.chance(0.3)) canvas.blur(random.between(0.3, 1));
  const { pixels, side } = canvas;
  const angle = random.between(0, 2 * Math.PI), slope = random.between(0, 0.3);
  const kx = Math.cos(angle) * slope, ky = Math.sin(angle) * slope;
  const gain = random.between(0.8, 1.15), lift = random.between(-0.05, 0.1);
  const fade = random.chance(0.15) ? 1 : random.between(0, 0.4);
  const grain = random.between(1, 6);

  const bytes = new Uint8ClampedArray(pixels.length); // rounds and clamps
  for (let row = 0, i = 0; row < side; row++) {
    for (let column = 0; column < side; column++, i += 3) {
      const light = gain * (1 + kx * (2 * column / side - 1) + ky * (2 * row / side - 1));
      const gray = 0.3 * pixels[i]! + 0.59 * pixels[i + 1]! + 0.11 * pixels[i + 2]!;
      // Four bytes of one word sum to nearly a normal distribution; 147.8 is its deviation.
      const word = random.uint32();
      const sum = (word & 255) + (word >>> 8 & 255) + (word >>> 16 & 255) + (word >>> 24);
      const jitter = grain * (sum - 510) / 147.8;
      for (let channel = 0; channel < 3; channel++) {
        const value = pixels[i + channel]!;
        const lit = (value + (gray - value) * fade) * light + lift;
        bytes[i + channel] = lit * 255 + jitter;
      }
    }
  }
  return new Uint8Array(bytes.buffer);
}
