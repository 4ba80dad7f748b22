/**
 * Signed distances in the plane: negative inside, positive outside, 0 on the outline. Those made of
 * others (`intersect`, `subtract`) are bounds rather than exact away from the outline, which is all
 * that antialiasing needs.
 * @module
 */

export type Distance = (x: number, y: number) => number;
export type Point = readonly [x: number, y: number];

/** No points are inside. */
export const nothing: Distance = () => Infinity;

export function circle([cx, cy]: Point, radius: number): Distance {
  return (x, y) => Math.sqrt((x - cx) ** 2 + (y - cy) ** 2) - radius;
}

export function ring(centre: Point, radius: number, thickness: number): Distance {
  const line = circle(centre, radius);
  return (x, y) => Math.abs(line(x, y)) - thickness / 2;
}

/** The points on the side of the line through `point` to which `angle` (radians) does not point. */
export function halfPlane([px, py]: Point, angle: number): Distance {
  const nx = Math.cos(angle), ny = Math.sin(angle);
  return (x, y) => (x - px) * nx + (y - py) * ny;
}

/** A box of half width `hx` and half height `hy`. */
export function box([cx, cy]: Point, hx: number, hy: number): Distance {
  return (x, y) => {
    const dx = Math.abs(x - cx) - hx, dy = Math.abs(y - cy) - hy;
    return dx > 0 && dy > 0 ? Math.sqrt(dx * dx + dy * dy) : Math.max(dx, dy);
  };
}

/** A line of two round ends whose radius runs from `from` at `a` to `to` at `b`. */
export function taper([ax, ay]: Point, [bx, by]: Point, from: number, to = from): Distance {
  const dx = bx - ax, dy = by - ay;
  const lengthSquared = dx * dx + dy * dy;
  return (x, y) => {
    const along = ((x - ax) * dx + (y - ay) * dy) / lengthSquared;
    const t = along < 0 ? 0 : along > 1 ? 1 : along;
    return Math.sqrt((x - ax - t * dx) ** 2 + (y - ay - t * dy) ** 2) - from - t * (to - from);
  };
}

/** A closed polygon, convex or not. */
export function polygon(points: readonly Point[]): Distance {
  const edges = points.map(([ax, ay], i) => {
    const [bx, by] = points[(i + 1) % points.length]!;
    const dx = bx - ax, dy = by - ay;
    return { ax, ay, by, dx, dy, lengthSquared: dx * dx + dy * dy };
  });
  return (x, y) => {
    let nearest = Infinity;
    let inside = false;
    for (const { ax, ay, by, dx, dy, lengthSquared } of edges) {
      const along = ((x - ax) * dx + (y - ay) * dy) / lengthSquared;
      const t = along < 0 ? 0 : along > 1 ? 1 : along;
      const squared = (x - ax - t * dx) ** 2 + (y - ay - t * dy) ** 2;
      if (squared < nearest) nearest = squared;
      // A ray to the right crosses the outline an odd number of times from within.
      if (ay > y !== by > y && x < ax + (y - ay) * dx / dy) inside = !inside;
    }
    return inside ? -Math.sqrt(nearest) : Math.sqrt(nearest);
  };
}

/** The lens in which two circles through `a` and `b` overlap; `bulge` is width over length. */
export function lens(a: Point, b: Point, bulge: number): Distance {
  const mx = (a[0] + b[0]) / 2, my = (a[1] + b[1]) / 2;
  const half = Math.sqrt((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2) / 2;
  const width = half * bulge;
  const radius = (half * half + width * width) / (2 * width);
  const reach = (radius - width) / half;
  const ox = (b[1] - a[1]) / 2 * reach, oy = (a[0] - b[0]) / 2 * reach;
  return intersect(circle([mx + ox, my + oy], radius), circle([mx - ox, my - oy], radius));
}

export function union(...parts: Distance[]): Distance {
  if (parts.length === 2) {
    const [a, b] = parts as [Distance, Distance];
    return (x, y) => Math.min(a(x, y), b(x, y));
  }
  return (x, y) => {
    let nearest = Infinity;
    for (const part of parts) nearest = Math.min(nearest, part(x, y));
    return nearest;
  };
}

export function intersect(a: Distance, b: Distance): Distance {
  return (x, y) => Math.max(a(x, y), b(x, y));
}

export function subtract(whole: Distance, hole: Distance): Distance {
  return (x, y) => Math.max(whole(x, y), -hole(x, y));
}
