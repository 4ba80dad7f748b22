import { percent } from "../../shared/percent.ts";
import type { Profile } from "./profile.ts";

/** The profile as a table, the longest first, closed by the total. */
export function formatProfile({ steps, images, milliseconds, peak, rows }: Profile): string {
  const cells = rows.map((row) => [
    row.node,
    row.direction,
    row.milliseconds.toFixed(2),
    percent(row.share, 1),
    row.gigaflops === null ? "" : row.gigaflops.toFixed(1),
    row.gigabytes.toFixed(1),
    `${percent(row.ofPeak, 1)} ${row.limit}`,
  ]);
  const total = ["total", "", milliseconds.toFixed(2), percent(1, 1), "", "", ""];
  const head = ["layer", "direction", "ms", "share", "GFLOP/s", "GB/s", "of peak"];
  const rate = 1000 * images / milliseconds;
  return [
    ...align([head, ...cells, total]),
    "",
    `GPU time of a step of ${images} images, median of ${steps}: ${milliseconds.toFixed(2)} ms ` +
    `(${rate.toFixed(rate < 100 ? 1 : 0)} images/s)`,
    `measured peak of the adapter: ${
      peak.gigaflops.toFixed(1)
    } GFLOP/s in a product of matrices, ` +
    `${peak.gigabytes.toFixed(1)} GB/s in a copy`,
  ].join("\n");
}

/** Words to the left, numbers to the right. */
function align(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) =>
    row.map((cell, i) => i < 2 || i === 6 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))
      .join("  ").trimEnd()
  );
}
