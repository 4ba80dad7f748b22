import { assert } from "@std/assert";
import { Random } from "../../random.ts";
import { FIGURES } from "./figures.ts";

const VARIANTS = 40;

/** Calls back at the centres of a grid over [-1.6, 1.6]². */
function overGrid(visit: (x: number, y: number) => void): void {
  for (let y = -1.6; y <= 1.6; y += 0.05) for (let x = -1.6; x <= 1.6; x += 0.05) visit(x, y);
}

for (const [name, make] of Object.entries(FIGURES)) {
  Deno.test(`FIGURES.${name} fills its circle and does not leave it`, () => {
    for (let variant = 0; variant < VARIANTS; variant++) {
      const { silhouette, marks } = make(new Random(variant));
      let area = 0, within = 0;
      overGrid((x, y) => {
        const inside = silhouette(x, y);
        assert(Number.isFinite(inside), `${name} ${variant}: ${inside} at ${x}, ${y}`);
        assert(!Number.isNaN(marks(x, y)), `${name} ${variant}: marks at ${x}, ${y}`);
        if (inside >= 0) return;
        // The room that the painter's bounds leave for a figure, see paintFigure().
        assert(x * x + y * y < 1.18 ** 2, `${name} ${variant} reaches ${x}, ${y}`);
        area++;
        if (marks(x, y) < 0) within++;
      });
      const share = area * 0.05 ** 2 / Math.PI;
      assert(share > 0.12 && share < 0.95, `${name} ${variant} covers ${share} of its circle`);
      assert(within < area * 0.7, `${name} ${variant}: marks cover ${within} of ${area}`);
    }
  });
}
