/** The one table that a bench prints. */

export interface Table {
  /** Lines above it: machine, versions, what a ratio is a ratio of. */
  readonly head: readonly string[];
  readonly columns: readonly string[];
  /** A cell that is missing stays empty. */
  readonly rows: readonly (readonly (string | undefined)[])[];
  /** Lines below it: what was not measured and why, what makes figures doubtful. */
  readonly notes: readonly string[];
}

/** Columns as wide as their widest cell; words to the left, numbers to the right. */
export function formatTable({ head, columns, rows, notes }: Table): string {
  const cells = [columns, ...rows].map((row) => columns.map((_, column) => row[column] ?? ""));
  const widths = columns.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const isText = columns.map((_, column) => {
    return rows.every((row) => !/^[\d-]/.test(row[column] ?? ""));
  });
  const lines = cells.map((row) =>
    row.map((cell, i) => isText[i] ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))
      .join("  ").trimEnd()
  );
  lines.splice(1, 0, widths.map((width) => "-".repeat(width)).join("  "));
  const parts = [head, lines, notes].filter((part) => part.length > 0);
  return parts.map((part) => part.join("\n")).join("\n\n");
}

/** Three digits that count: 0.0123, 1.23, 12.3, 123, 1,234. */
export function digits(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "";
  if (!Number.isFinite(value)) return String(value);
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en");
  return Number(value.toPrecision(3)).toString();
}

export function percent(share: number | undefined): string {
  return share === undefined || Number.isNaN(share) ? "" : `${Math.round(100 * share)} %`;
}

/** "0.53 x" */
export function ratio(own: number | undefined, other: number | undefined): string {
  return own === undefined || other === undefined ? "" : `${digits(own / other)} x`;
}
