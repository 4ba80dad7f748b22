import type { Random } from "../../random.ts";
import {
  box,
  circle,
  type Distance,
  halfPlane,
  intersect,
  lens,
  nothing,
  type Point,
  polygon,
  ring,
  subtract,
  taper,
  union,
} from "./distance.ts";

/** A thing to be recognised, upright, y down, filling about the circle of radius 1. */
export interface Figure {
  silhouette: Distance;
  /** What is painted on the silhouette in its second colour. */
  marks: Distance;
}

const polar = (radius: number, angle: number): Point => [
  radius * Math.cos(angle),
  radius * Math.sin(angle),
];

/** A ball with the squares of a chessboard wrapped round it. */
function ball(random: Random): Figure {
  const squares = random.between(2.6, 3.8);
  const turn = random.between(0, Math.PI);
  const tilt = random.between(-0.6, 0.6);
  const checks: Distance = (x, y) => {
    const z = Math.sqrt(Math.max(0, 1 - x * x - y * y));
    const [ty, tz] = [
      y * Math.cos(tilt) - z * Math.sin(tilt),
      y * Math.sin(tilt) + z * Math.cos(tilt),
    ];
    const longitude = Math.atan2(x, tz) + turn;
    const latitude = Math.asin(Math.max(-1, Math.min(1, ty)));
    return Math.sin(longitude * squares) * Math.sin(latitude * squares) / squares;
  };
  return { silhouette: circle([0, 0], 0.95), marks: checks };
}

/** The moon, a few days old. */
function crescent(random: Random): Figure {
  const bite = random.between(0.66, 0.86);
  const disc = circle([0, 0], 0.95);
  const craters = random.chance(0.4)
    ? union(circle([-0.72, 0.12], 0.09), circle([-0.5, 0.58], 0.07), circle([-0.6, -0.35], 0.06))
    : nothing;
  return {
    silhouette: subtract(disc, circle([random.between(0.36, 0.5), 0], bite)),
    marks: craters,
  };
}

/** A body, a forked tail, a fin, an eye, and on some stripes. */
function fish(random: Random): Figure {
  const plump = random.between(0.42, 0.66);
  const fork = random.between(0.25, 0.5);
  const height = plump * 0.62;
  const tail = polygon([[0.3, 0], [0.98, -fork - 0.1], [0.8, 0], [0.98, fork + 0.1]]);
  const fin = polygon([[-0.2, -height * 0.7], [0.3, -height - 0.22], [0.3, -height * 0.4]]);
  const eye = circle([-0.66, -0.1], 0.085);
  const stripes = random.chance(0.5)
    ? union(box([-0.32, 0], 0.05, 1), box([-0.05, 0], 0.05, 1), box([0.22, 0], 0.05, 1))
    : nothing;
  return {
    silhouette: union(lens([-1, 0], [0.62, 0], plump), tail, fin),
    marks: union(eye, stripes),
  };
}

/** A toothed wheel with a hole for its shaft. */
function gear(random: Random): Figure {
  const teeth = 7 + random.below(5);
  const depth = random.between(0.09, 0.13);
  const hole = circle([0, 0], random.between(0.22, 0.42));
  const wheel: Distance = (x, y) => {
    const wave = Math.cos(Math.atan2(y, x) * teeth) * 2.5;
    const tooth = wave > 1 ? 1 : wave < -1 ? -1 : wave;
    return (Math.sqrt(x * x + y * y) - 0.84 - depth * tooth) * 0.8;
  };
  return {
    silhouette: subtract(wheel, hole),
    marks: random.chance(0.5) ? ring([0, 0], 0.58, 0.1) : nothing,
  };
}

/** Two discs on the upper sides of a square that stands on its corner. */
function heart(random: Random): Figure {
  const half = 0.46;
  const corner = half * Math.SQRT2;
  const square = polygon([[0, -corner + 0.1], [corner, 0.1], [0, corner + 0.1], [-corner, 0.1]]);
  const lobes = union(
    circle([-corner / 2, -corner / 2 + 0.1], half),
    circle([corner / 2, -corner / 2 + 0.1], half),
  );
  const silhouette = union(square, lobes);
  const inset = random.between(0.16, 0.24);
  return {
    silhouette,
    marks: random.chance(0.4) ? (x, y) => Math.abs(silhouette(x, y) + inset) - 0.05 : nothing,
  };
}

/** A bow, a shaft, and two or three bits. */
function key(random: Random): Figure {
  const bow = random.between(0.3, 0.38);
  const eye = random.between(0.13, 0.19);
  const thickness = random.between(0.075, 0.105);
  const bits = 2 + random.below(2);
  const parts = [circle([-0.6, 0], bow), taper([-0.4, 0], [0.92, 0], thickness)];
  for (let i = 0; i < bits; i++) {
    parts.push(box([0.86 - i * 0.24, 0.2], 0.07, random.between(0.14, 0.24)));
  }
  return {
    silhouette: subtract(union(...parts), circle([-0.6, 0], eye)),
    marks: random.chance(0.4) ? ring([-0.6, 0], (bow + eye) / 2, 0.05) : nothing,
  };
}

/** A blade on a stalk, with a midrib and side veins. */
function leaf(random: Random): Figure {
  const blade = lens([0, -1], [0, 0.72], random.between(0.45, 0.66));
  const veins = [taper([0, -0.8], [0, 0.7], 0.02, 0.045)];
  const pairs = 3 + random.below(2);
  for (let i = 0; i < pairs; i++) {
    const y = 0.5 - i * 0.9 / pairs;
    for (const side of [-1, 1]) veins.push(taper([0, y], [side * 0.5, y - 0.36], 0.025));
  }
  return {
    silhouette: union(blade, taper([0, 0.6], [random.between(-0.16, 0.16), 1], 0.05)),
    marks: union(...veins),
  };
}

/** A domed cap, spotted on most, over a stem. */
function mushroom(random: Random): Figure {
  const rim = random.between(0, 0.16);
  const cap = intersect(circle([0, rim], 0.92), halfPlane([0, rim], Math.PI / 2));
  const width = random.between(0.15, 0.25);
  const stem = taper([0, rim], [0, 0.84], width, width * random.between(1, 1.35));
  const spots = [[-0.46, -0.24, 0.15], [0.1, -0.5, 0.19], [0.56, -0.17, 0.12], [-0.1, -0.1, 0.11]];
  return {
    silhouette: union(cap, stem),
    marks: random.chance(0.75)
      ? union(...spots.map(([x, y, radius]) => circle([x!, y! + rim], radius!)))
      : subtract(stem, cap),
  };
}

/** Five or six points; how sharp they are varies. */
function star(random: Random): Figure {
  const points = 5 + random.below(2);
  const inner = random.between(0.38, 0.52);
  const outline = Array.from(
    { length: 2 * points },
    (_, i) => polar(i % 2 === 0 ? 1 : inner, Math.PI * (i / points - 0.5)),
  );
  return {
    silhouette: polygon(outline),
    marks: random.chance(0.4) ? circle([0, 0], random.between(0.15, 0.28)) : nothing,
  };
}

/** A scalloped canopy of coloured panels, and a handle with a hook. */
function umbrella(random: Random): Figure {
  const dome = intersect(circle([0, 0], 0.95), halfPlane([0, 0], Math.PI / 2));
  const scallops = 3 + random.below(2);
  const width = 1.9 / scallops;
  const cuts = Array.from(
    { length: scallops },
    (_, i) => circle([-0.95 + (i + 0.5) * width, width * 0.22], width * 0.54),
  );
  const thickness = random.between(0.045, 0.065);
  const hook = subtract(
    ring([0.16, 0.74], 0.16, 2 * thickness),
    halfPlane([0, 0.74], Math.PI / 2),
  );
  const panels: Distance = (x, y) => Math.sin(Math.atan2(x, 0.35 - y) * scallops * 1.6) * 0.25;
  return {
    silhouette: union(
      subtract(dome, union(...cuts)),
      taper([0, -1], [0, 0.74], thickness),
      hook,
    ),
    marks: random.chance(0.7) ? intersect(panels, dome) : nothing,
  };
}

/** The ten classes, in the order of their labels. */
export const FIGURES: Readonly<Record<string, (random: Random) => Figure>> = {
  ball,
  crescent,
  fish,
  gear,
  heart,
  key,
  leaf,
  mushroom,
  star,
  umbrella,
};
