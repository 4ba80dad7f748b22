/** What bench:edge found, as tables. */
import { type ModelManifest, ORIGINAL, type Variant } from "../../../shared/manifest.ts";
import { digits, type Table } from "../table.ts";
import type { Measured } from "./measure.ts";
import type { NetworkName } from "./networks.ts";

/** A part of the bench. */
export interface Row {
  readonly name: string;
  readonly network: NetworkName;
  readonly form: string;
  /** "layers" and "agreement" are parts of their own. */
  readonly engine: string;
}

/** What one row found. */
export interface Result {
  readonly row: Row;
  readonly weightsBytes?: number;
  readonly bound?: number;
  readonly measured?: Measured;
  /** Of "layers": errors by product, one of each form. */
  readonly errors?: Record<string, Record<string, number>>;
  /** Of "agreement": the original and its forms. */
  readonly compared?: readonly Compared[];
}

type Compared =
  & Pick<Variant, "name" | "wireBytes" | "metrics" | "agreement">
  & { readonly bytes: number };

/** The original and its forms, as they were compared when they were made. */
export function comparedOf({ weights, variants = [], ...original }: ModelManifest): Compared[] {
  return [{ ...original, name: ORIGINAL, weights }, ...variants].map((form) => ({
    name: form.name,
    bytes: form.weights.byteLength,
    wireBytes: form.wireBytes,
    metrics: form.metrics,
    agreement: "agreement" in form ? form.agreement : undefined,
  }));
}

export function tablesOf(results: readonly Result[], head: string[], notes: string[]): Table[] {
  const tables: Table[] = [];
  const timed = results.filter(({ measured }) => measured);
  if (timed.length > 0) tables.push(timesTable(timed, head, notes));
  for (const { row, errors } of results) if (errors) tables.push(errorsTable(row, errors));
  const agreements = results.filter(({ compared }) => compared);
  if (agreements.length > 0) tables.push(agreementTable(agreements));
  return tables.length > 0 ? tables : [{ head, columns: [], rows: [], notes }];
}

function timesTable(results: readonly Result[], head: string[], notes: string[]): Table {
  const megabytes = (bytes: number | undefined) => bytes && digits(bytes / 1e6);
  return {
    head,
    columns: [
      ...["network, form, engine", "weights MB", "peak MB", "steady MB", "first ms", "from S3 ms"],
      ...["batch 1 ms", "batch 8 ms", "bound ms", "of bound"],
    ],
    rows: results.map(({ row, weightsBytes, bound, measured }) => [
      row.name,
      megabytes(weightsBytes) || "",
      megabytes(measured!.peak) || "",
      megabytes(measured!.steady) || "",
      digits(measured!.first),
      digits(measured!.firstFromBucket),
      digits(measured!.batch1),
      digits(measured!.batch8),
      digits(bound),
      digits(measured!.batch1 / bound!),
    ]),
    notes,
  };
}

function errorsTable({ network }: Row, errors: Record<string, Record<string, number>>): Table {
  const names = Object.keys(Object.values(errors)[0] ?? {});
  return {
    head: [`${network}: relative error of each product's output`],
    columns: ["product", ...Object.keys(errors)],
    rows: names.map((name) => [
      name.replace("/product", ""),
      ...Object.values(errors).map((error) => `${digits(100 * error[name]!)} %`),
    ]),
    notes: [],
  };
}

function agreementTable(results: readonly Result[]): Table {
  const share = (value: number | undefined) =>
    value === undefined ? "" : `${digits(100 * value)} %`;
  return {
    head: ["Agreement with the original on images that calibration did not see"],
    columns: [
      ...["network, form", "file kB", "brotli kB", "images", "top-1 error", "top-5 error"],
      ...["same first", "first in five", "five shared"],
    ],
    rows: results.flatMap(({ row, compared }) =>
      compared!.map(({ name, bytes, wireBytes, metrics, agreement }) => [
        `${row.network} ${name}`,
        digits(bytes / 1e3),
        digits((wireBytes?.brotli ?? NaN) / 1e3),
        String(agreement?.images ?? metrics?.images ?? ""),
        share(metrics?.top1Error),
        share(metrics?.top5Error),
        share(agreement?.top1),
        share(agreement?.top5),
        share(agreement?.fiveShared),
      ])
    ),
    notes: [],
  };
}
