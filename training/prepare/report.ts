import type { BrokenImage } from "../dataset/dataset.ts";
import type { Duplicates } from "./duplicates.ts";
import { some, type Source, type SplitName } from "./sources/source.ts";

/** `report.json`: what a user should know of prepared data; nothing in it depends on the machine. */
export interface Report {
  readonly source: Source["kind"];
  readonly images: Readonly<Record<"found" | "read" | "broken" | SplitName, number>>;
  /** The first; all are in broken.jsonl. */
  readonly broken: readonly BrokenImage[];
  readonly duplicates: Duplicates;
  /** Images of each class by split. */
  readonly classes: readonly ClassCount[];
  /** Training images of the smallest and the largest class. */
  readonly balance: { readonly least: number; readonly most: number };
  readonly bytes: number;
  readonly shards: number;
  readonly warnings: readonly string[];
}

export interface ClassCount extends Readonly<Record<SplitName, number>> {
  readonly name: string;
}

/** Broken images that the report itself names. */
export const BROKEN_SHOWN = 20;

/** The warnings that the images themselves give rise to, after those of the source. */
export function warningsOf(
  classes: readonly ClassCount[],
  duplicates: Duplicates,
  brokenCount: number,
): string[] {
  const warnings: string[] = [];
  const groups = (title: string, found: Duplicates["within"]) => {
    if (found.length === 0) return;
    const names = found.map(({ files }) => files.map(({ file }) => file).join(" = "));
    warnings.push(`${title} (${found.length}): ${some(names)}`);
  };
  groups("Images in more than one split", duplicates.across);
  groups("Images in more than one class", duplicates.contradicting);
  const named = (title: string, found: readonly ClassCount[]) => {
    if (found.length === 0) return;
    warnings.push(`${title} (${found.length}): ${some(found.map(({ name }) => name))}`);
  };
  named("Classes without a readable training image", classes.filter(({ train }) => train === 0));
  named("Classes with a single training image", classes.filter(({ train }) => train === 1));
  const hasValidation = classes.some(({ validation }) => validation > 0);
  if (!hasValidation) {
    warnings.push("No validation images: training needs some (see --validation-share)");
  } else {
    named(
      "Classes without a validation image",
      classes.filter(({ validation }) => validation === 0),
    );
  }
  if (brokenCount > 0) {
    warnings.push(`Images that could not be read (${brokenCount}): broken.jsonl`);
  }
  return warnings;
}

export function formatReport(report: Report): string {
  const { images, broken, duplicates, classes, balance, bytes, shards, warnings } = report;
  const number = (value: number) => value.toLocaleString("en");
  const smallest = classes.find(({ train }) => train === balance.least)?.name;
  const largest = classes.find(({ train }) => train === balance.most)?.name;
  const splits = `${number(images.train)} train, ${number(images.validation)} validation, ` +
    `${number(images.test)} test`;
  const lines = [
    `images      ${number(images.read)} of ${number(images.found)} read (${splits})`,
    `classes     ${number(classes.length)}, with ${number(balance.least)} (${smallest}) to ` +
    `${number(balance.most)} (${largest}) training images`,
    `duplicates  ${number(duplicates.within.length)} within a split, ` +
    `${number(duplicates.across.length)} across splits`,
    `broken      ${number(images.broken)}`,
    ...broken.map(({ file, reason }) => `  ${file}: ${reason}`),
    ...(images.broken > broken.length
      ? [`  and ${number(images.broken - broken.length)} more`]
      : []),
    `size        ${number(bytes)} bytes in ${number(shards)} shards`,
    ...warnings.map((warning) => `warning: ${warning}`),
  ];
  return lines.join("\n");
}
