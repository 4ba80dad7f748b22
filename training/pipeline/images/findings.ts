/** What is wrong with images, and which of it stops a retraining. */
import { percent } from "../../../shared/percent.ts";
import type { Drift } from "./drift.ts";
import type { ImageRecord } from "./image_record.ts";
import type { ClassCount } from "./judge.ts";
import { FEWEST_THAT_STOP, type ImageRules } from "./rules.ts";

/** Rules by which images are left out, each by itself. */
const LEFT_OUT = [
  "unreadable",
  "too small",
  "unknown class",
  "contradiction",
  "duplicate",
  "leak",
  "small class",
] as const;
export type LeftOutRule = typeof LEFT_OUT[number];

export interface Finding {
  readonly rule: LeftOutRule | "classes" | "splits" | "balance" | "drift";
  /** Whether it stops the run; else it is a warning. */
  readonly stops: boolean;
  readonly text: string;
  /** Every image it is about, and why. */
  readonly files: readonly { readonly key: string; readonly reason: string }[];
}

/** Which images count together against which limit, as shares of the new images. */
const LIMITS: readonly {
  readonly rules: readonly LeftOutRule[];
  readonly limit: "maxBrokenShare" | "maxUnknownShare" | "maxContradictingShare" | "maxLeakShare";
}[] = [
  { rules: ["unreadable", "too small"], limit: "maxBrokenShare" },
  { rules: ["unknown class"], limit: "maxUnknownShare" },
  { rules: ["contradiction"], limit: "maxContradictingShare" },
  { rules: ["leak"], limit: "maxLeakShare" },
];

const FEWEST_CLASSES = 2;

export class Findings {
  readonly #rules: ImageRules;
  readonly #newImages: number;
  readonly #leftOut = new Map<LeftOutRule, { files: Finding["files"][number][]; fresh: number }>();
  readonly #others: Finding[] = [];

  constructor(rules: ImageRules, newImages: number) {
    this.#rules = rules;
    this.#newImages = newImages;
  }

  leaveOut(rule: LeftOutRule, reason: string, { key }: ImageRecord, fresh: boolean): void {
    const known = this.#leftOut.get(rule) ?? { files: [], fresh: 0 };
    known.files.push({ key, reason });
    if (fresh) known.fresh++;
    this.#leftOut.set(rule, known);
  }

  /** What is wrong with the set as a whole. */
  addSet(classes: readonly ClassCount[]): void {
    if (classes.length < FEWEST_CLASSES) {
      const found = classes.map(({ name }) => name).join(", ") || "none";
      this.#add(
        "classes",
        true,
        `${classes.length} classes with enough images (${found}): two or more are needed`,
      );
      return;
    }
    for (const split of ["train", "validation", "test"] as const) {
      const images = classes.reduce((sum, count) => sum + count[split], 0);
      if (images === 0) this.#add("splits", true, `there are no ${split} images: add images`);
      const without = classes.filter((count) => count[split] === 0).map(({ name }) => name);
      if (images > 0 && without.length > 0) {
        this.#add("splits", false, `no ${split} images of ${without.join(", ")}`);
      }
    }
    const sorted = classes.toSorted((a, b) => a.train - b.train);
    const [least, most] = [sorted[0]!, sorted.at(-1)!];
    if (most.train <= this.#rules.maxImbalance * least.train) return;
    this.#add(
      "balance",
      false,
      `${most.name} has ${most.train} training images, ${least.name} ${least.train}: more than ` +
        `${this.#rules.maxImbalance} to one`,
    );
  }

  addDrift(drifts: readonly Drift[]): void {
    const { driftWarning, driftStop } = this.#rules;
    for (const { feature, deviations } of drifts) {
      const size = Math.abs(deviations);
      if (size <= driftWarning) continue;
      const stops = driftStop !== null && size > driftStop;
      const direction = deviations > 0 ? "above" : "below";
      this.#add(
        "drift",
        stops,
        `${feature} of the new images is ${size.toFixed(2)} deviations ${direction} that of the ` +
          `known ones of their classes (${
            stops ? `at most ${driftStop} allowed` : `up to ${driftWarning} is usual`
          })`,
      );
    }
  }

  /** What stops first, then the warnings. */
  list(): Finding[] {
    const leftOut = LEFT_OUT.flatMap((rule): Finding[] => {
      const found = this.#leftOut.get(rule);
      if (!found) return [];
      const over = this.#overLimit(rule);
      const text = `${found.files.length} left out: ${rule}` +
        (found.fresh > 0 ? `, ${found.fresh} of them new` : "") +
        (over ? `; ${over}` : "");
      return [{ rule, stops: over !== null, text, files: found.files }];
    });
    return [...leftOut, ...this.#others].sort((a, b) => Number(b.stops) - Number(a.stops));
  }

  #overLimit(rule: LeftOutRule): string | null {
    const group = LIMITS.find(({ rules }) => rules.includes(rule));
    if (!group) return null;
    const most = this.#rules[group.limit];
    const fresh = group.rules.reduce((sum, each) => sum + (this.#leftOut.get(each)?.fresh ?? 0), 0);
    if (fresh < FEWEST_THAT_STOP || fresh <= most * this.#newImages) return null;
    return `${group.rules.join(" or ")}: ${percent(fresh / this.#newImages, 1)} of the ` +
      `${this.#newImages} new images, at most ${percent(most, 1)} allowed (${group.limit})`;
  }

  #add(rule: Finding["rule"], stops: boolean, text: string): void {
    this.#others.push({ rule, stops, text, files: [] });
  }
}
