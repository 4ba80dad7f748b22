import type { Cost } from "../../shared/manifest.ts";
import { formatBytes } from "../../shared/byte_size.ts";
import { percent } from "../../shared/percent.ts";
import type { Form } from "./compress.ts";

/** A row a form: bytes, accuracy, cost. What was not measured stays out. */
export function formatForms(
  forms: readonly Form[],
  costs: ReadonlyMap<string, Cost>,
  refused: ReadonlyMap<string, number>,
): string {
  const labelled = forms.some(({ metrics }) => metrics);
  const head = [
    "",
    "file",
    "gzip",
    "zstd",
    "brotli",
    ...labelled ? ["top-1 error", "top-5 error"] : [],
    "same first",
    "in five",
    "five shared",
    ...costs.size > 0 ? ["first answer", "run", "peak memory"] : [],
  ];
  const rows = forms.map(({ name, bytes, wireBytes, metrics, agreement }) => {
    const cost = costs.get(name);
    return [
      name,
      formatBytes(bytes.byteLength),
      ...[wireBytes.gzip, wireBytes.zstd, wireBytes.brotli].map(formatBytes),
      ...metrics ? [percent(metrics.top1Error), percent(metrics.top5Error)] : [],
      percent(agreement.top1),
      percent(agreement.top5),
      percent(agreement.fiveShared),
      ...cost
        ? [
          `${Math.round(cost.firstAnswerMs)} ms`,
          `${cost.inferenceMs.toFixed(1)} ms`,
          formatBytes(cost.peakMemory),
        ]
        : [],
    ];
  });
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0))
  );
  const line = (row: readonly string[]) =>
    row.map((cell, i) => i === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[i]!))
      .join("  ").trimEnd();
  const notes = forms.flatMap(({ name, note }) => note ? [`${name}: ${note}`] : []);
  const refusals = [...refused].map(([name, points]) =>
    `${name} is refused: it loses ${points.toFixed(2)} points`
  );
  return [[head, ...rows].map(line).join("\n"), ...notes, ...refusals].join("\n");
}
