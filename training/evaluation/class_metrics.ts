/** What a manifest says of each class. */
import type { UnpublishedManifest } from "../../shared/model_registry.ts";
import { wilsonInterval } from "./wilson.ts";

type Metrics = NonNullable<UnpublishedManifest["metrics"]>;
export interface ClassMetrics {
  /** In the order of the labels. */
  readonly classes: NonNullable<Metrics["classes"]>;
  readonly confusions: NonNullable<Metrics["confusions"]>;
}

/** Beyond these nobody reads on. */
const CONFUSIONS_SHOWN = 20;

interface Measured {
  /** In the order of the labels. */
  readonly classes: readonly { readonly images: number; readonly top1Error: number | null }[];
  /** [label, first answer, images] */
  readonly confusion: readonly (readonly [number, number, number])[];
}

/** Errors by class with their intervals, and the confusions that happen most. */
export function classMetrics(
  { classes, confusion }: Measured,
  labels: readonly string[],
): ClassMetrics {
  return {
    classes: classes.map(({ images, top1Error }) => {
      if (images === 0 || top1Error === null) return null;
      const interval = wilsonInterval(Math.round(top1Error * images), images);
      return { images, top1Error, interval };
    }),
    confusions: confusion.filter(([label, answer]) => label !== answer)
      .toSorted((a, b) => b[2] - a[2] || a[0] - b[0] || a[1] - b[1])
      .slice(0, CONFUSIONS_SHOWN)
      .map(([label, answer, images]) => ({
        label: labels[label]!,
        answer: labels[answer]!,
        images,
      })),
  };
}
