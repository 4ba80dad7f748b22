import type { Distance } from "./distance.ts";

/** Red, green, blue, 0 to 1. */
export type Color = readonly [number, number, number];

/** A colour that depends on the place, written into `out`. */
export type Shader = (x: number, y: number, out: Float32Array) => void;

/** The smallest circle that holds all of a thing: nothing outside its box is looked at. */
export interface Bounds {
  x: number;
  y: number;
  radius: number;
}

export interface PaintOptions {
  opacity?: number;
  /** Width over which the edge fades, in canvas units; one pixel unless given. */
  softness?: number;
  bounds?: Bounds;
}

const WHOLE: Bounds = { x: 0, y: 0, radius: 1 };

/** A square RGB picture in float32 whose coordinates run from -1 to 1, y down. */
export class Canvas {
  readonly pixels: Float32Array;
  readonly #shade = new Float32Array(3);

  constructor(readonly side: number) {
    this.pixels = new Float32Array(side * side * 3);
  }

  /** First and last row or column that comes within `reach` of a coordinate. */
  #range(at: number, reach: number): [first: number, last: number] {
    const { side } = this;
    return [
      Math.max(0, Math.floor((at - reach + 1) * side / 2)),
      Math.min(side - 1, Math.ceil((at + reach + 1) * side / 2)),
    ];
  }

  /** Lays a colour over what is there wherever `distance` is negative, with an antialiased edge. */
  paint(distance: Distance, color: Color | Shader, options: PaintOptions = {}): void {
    const { side, pixels } = this;
    const pixel = 2 / side;
    const { opacity = 1, softness = pixel, bounds = WHOLE } = options;
    const [top, bottom] = this.#range(bounds.y, bounds.radius + softness);
    const [left, right] = this.#range(bounds.x, bounds.radius + softness);
    const shade = this.#shade;
    if (typeof color !== "function") shade.set(color);

    for (let row = top; row <= bottom; row++) {
      const y = (row + 0.5) * pixel - 1;
      for (let column = left; column <= right; column++) {
        const x = (column + 0.5) * pixel - 1;
        const inside = 0.5 - distance(x, y) / softness;
        if (inside <= 0) continue;
        if (typeof color === "function") color(x, y, shade);
        const alpha = inside < 1 ? inside * opacity : opacity;
        const at = (row * side + column) * 3;
        pixels[at] = pixels[at]! + (shade[0]! - pixels[at]!) * alpha;
        pixels[at + 1] = pixels[at + 1]! + (shade[1]! - pixels[at + 1]!) * alpha;
        pixels[at + 2] = pixels[at + 2]! + (shade[2]! - pixels[at + 2]!) * alpha;
      }
    }
  }

  /**
   * Computes a distance once a pixel, for an outline that several layers need: returns a look-up
   * that is infinite outside `bounds`, and the tight bounds of what is inside the outline.
   */
  trace(distance: Distance, bounds: Bounds): { distance: Distance; bounds: Bounds } {
    const { side } = this;
    const field = new Float32Array(side * side).fill(Infinity);
    const [top, bottom] = this.#range(bounds.y, bounds.radius);
    const [left, right] = this.#range(bounds.x, bounds.radius);
    let [west, east, north, south] = [right, left, bottom, top];
    for (let row = top; row <= bottom; row++) {
      for (let column = left; column <= right; column++) {
        const found = distance((column + 0.5) * 2 / side - 1, (row + 0.5) * 2 / side - 1);
        field[row * side + column] = found;
        if (found >= 0) continue;
        if (column < west) west = column;
        if (column > east) east = column;
        if (row < north) north = row;
        if (row > south) south = row;
      }
    }
    const lookUp: Distance = (x, y) => {
      const column = Math.floor((x + 1) * side / 2), row = Math.floor((y + 1) * side / 2);
      const isOff = column < 0 || row < 0 || column >= side || row >= side;
      return isOff ? Infinity : field[row * side + column]!;
    };
    const tight = {
      x: (west + east + 1) / side - 1,
      y: (north + south + 1) / side - 1,
      radius: (Math.max(east - west, south - north) + 1) / side,
    };
    return { distance: lookUp, bounds: tight };
  }

  /** Mixes each pixel with the mean of three, along rows and then columns; 1 is a full blur. */
  blur(amount: number): void {
    const { side, pixels } = this;
    for (const [step, across] of [[3, side * 3], [side * 3, 3]] as const) {
      const before = pixels.slice();
      for (let line = 0; line < side; line++) {
        const start = line * across + step, end = line * across + (side - 1) * step;
        for (let at = start; at < end; at += step) {
          for (let i = at; i < at + 3; i++) {
            const mean = (before[i - step]! + before[i]! + before[i + step]!) / 3;
            pixels[i] = before[i]! + amount * (mean - before[i]!);
          }
        }
      }
    }
  }
}
