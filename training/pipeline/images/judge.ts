/**
 * Which images are used, and what is wrong with the others. Pure: it follows from the records and the
 * rules, so whoever removes or relabels an object changes what the next run makes of the rest.
 * @module
 */
import type { SplitName } from "../../prepare/sources/source.ts";
import { driftOf } from "./drift.ts";
import { type Finding, Findings } from "./findings.ts";
import type { ImageRecord, Seen } from "./image_record.ts";
import { LookIndex } from "./look.ts";
import type { ImageRules } from "./rules.ts";
import { splitOf, type SplitRule } from "./split_rule.ts";

/** An image that will be trained on or asked about. */
export interface UsedImage {
  readonly key: string;
  readonly sha256: string;
  readonly label: string;
  readonly split: SplitName;
}

export interface ClassCount extends Readonly<Record<SplitName, number>> {
  readonly name: string;
  /** Of all these, those that came in this run. */
  readonly fresh: number;
}

export interface Judgement {
  readonly used: readonly UsedImage[];
  readonly classes: readonly ClassCount[];
  readonly findings: readonly Finding[];
}

type SeenImage = ImageRecord & {
  readonly sha256: string;
  readonly seen: Exclude<Seen, { broken: string }>;
};
type Accepted = SeenImage & { readonly split: SplitName };

/** @param run the one whose images are new */
export function judge(
  records: readonly ImageRecord[],
  { rules, splitRule, run }: {
    readonly rules: ImageRules;
    readonly splitRule: SplitRule;
    readonly run: string;
  },
): Judgement {
  const isNew = ({ since }: ImageRecord) => since === run;
  // Whoever came first stays where two cannot both.
  const ordered = records.toSorted((a, b) =>
    a.since < b.since ? -1 : a.since > b.since ? 1 : a.key < b.key ? -1 : 1
  );
  const findings = new Findings(rules, records.filter(isNew).length);
  const readable = ordered.filter((record): record is SeenImage => {
    const problem = problemOf(record, rules);
    if (problem) findings.leaveOut(...problem, record, isNew(record));
    return problem === null;
  });
  const known = withKnownLabel(
    readable,
    rules,
    (record) => findings.leaveOut("unknown class", record.label, record, isNew(record)),
  );
  const distinct = withoutCopies(
    known,
    (rule, text, record) => findings.leaveOut(rule, text, record, isNew(record)),
  );
  const split = distinct.map((record) => ({ ...record, split: splitOf(record.sha256, splitRule) }));
  const apart = withoutLeaks(
    split,
    rules,
    (text, record) => findings.leaveOut("leak", text, record, isNew(record)),
  );
  const used = withLargeClasses(
    apart,
    rules,
    (record) => findings.leaveOut("small class", record.label, record, isNew(record)),
  );
  const classes = countClasses(used, isNew);
  findings.addSet(classes);
  findings.addDrift(driftBetween(used, isNew));
  return {
    used: used.map(({ key, sha256, label, split }) => ({ key, sha256, label, split })),
    classes,
    findings: findings.list(),
  };
}

function problemOf(
  { sha256, seen }: ImageRecord,
  { minSide }: ImageRules,
): ["unreadable" | "too small", string] | null {
  if (sha256 === null || seen === null) return ["unreadable", "it could not be fetched"];
  if ("broken" in seen) return ["unreadable", seen.broken];
  const { width, height } = seen;
  return Math.min(width, height) < minSide ? ["too small", `${width} x ${height}`] : null;
}

/** Folders are made by whoever keeps the images; a sidecar's label may be anybody's typing error. */
function withKnownLabel(
  records: readonly SeenImage[],
  { classes }: ImageRules,
  leaveOut: (record: SeenImage) => void,
): SeenImage[] {
  const folders = records.filter(({ labelledAt }) => labelledAt === null).map((r) => r.label);
  const known = classes ?? (folders.length > 0 ? folders : records.map(({ label }) => label));
  const names = new Set(known);
  return records.filter((record) => {
    if (names.has(record.label)) return true;
    leaveOut(record);
    return false;
  });
}

/** Of files with the same content the first; none of those that came together with two labels. */
function withoutCopies(
  records: readonly SeenImage[],
  leaveOut: (rule: "duplicate" | "contradiction", text: string, record: SeenImage) => void,
): SeenImage[] {
  const kept: SeenImage[] = [];
  for (const copies of Map.groupBy(records, ({ sha256 }) => sha256).values()) {
    const first = copies[0]!;
    const other = copies.find((copy) => copy.label !== first.label && copy.since === first.since);
    if (!other) kept.push(first);
    else leaveOut("contradiction", `also ${other.label}: ${other.key}`, first);
    for (const copy of copies.slice(1)) {
      const contradicts = copy.label !== first.label || other !== undefined;
      leaveOut(
        contradicts ? "contradiction" : "duplicate",
        contradicts ? `also ${first.label}: ${first.key}` : `of ${first.key}`,
        copy,
      );
    }
  }
  return kept;
}

/** A picture saved anew is another file; what is learnt from one would be asked about the other. */
function withoutLeaks(
  records: readonly Accepted[],
  { lookAlikeBits }: ImageRules,
  leaveOut: (text: string, record: Accepted) => void,
): Accepted[] {
  const tested = new LookIndex(lookAlikeBits), learnt = new LookIndex(lookAlikeBits);
  const lists = { tested: [] as Accepted[], learnt: [] as Accepted[] };
  const kept = new Set<Accepted>();
  // Of those that came together, test images come first: it is the other one that is left out.
  const groups = Map.groupBy(records, ({ since }) => since);
  for (const group of groups.values()) {
    const isTest = ({ split }: Accepted) => split === "test";
    for (const record of [...group.filter(isTest), ...group.filter((each) => !isTest(each))]) {
      const { look } = record.seen;
      const [own, others, ownList, otherList] = isTest(record)
        ? [tested, learnt, lists.tested, lists.learnt]
        : [learnt, tested, lists.learnt, lists.tested];
      const twin = others.find(look);
      if (twin !== undefined) {
        leaveOut(`looks like ${otherList[twin]!.key}`, record);
        continue;
      }
      own.add(look);
      ownList.push(record);
      kept.add(record);
    }
  }
  return records.filter((record) => kept.has(record));
}

function withLargeClasses(
  records: readonly Accepted[],
  { minClassImages }: ImageRules,
  leaveOut: (record: Accepted) => void,
): Accepted[] {
  const trained = Map.groupBy(records.filter(({ split }) => split === "train"), (r) => r.label);
  return records.filter((record) => {
    if ((trained.get(record.label)?.length ?? 0) >= minClassImages) return true;
    leaveOut(record);
    return false;
  });
}

function countClasses(
  records: readonly Accepted[],
  isNew: (record: ImageRecord) => boolean,
): ClassCount[] {
  const groups = [...Map.groupBy(records, ({ label }) => label)].sort(([a], [b]) => a < b ? -1 : 1);
  return groups.map(([name, images]) => {
    const of = (split: SplitName) => images.filter((image) => image.split === split).length;
    return {
      name,
      train: of("train"),
      validation: of("validation"),
      test: of("test"),
      fresh: images.filter(isNew).length,
    };
  });
}

function driftBetween(records: readonly Accepted[], isNew: (record: ImageRecord) => boolean) {
  const featured = (record: Accepted) => ({ label: record.label, features: record.seen.features });
  return driftOf(
    records.filter((record) => !isNew(record)).map(featured),
    records.filter(isNew).map(featured),
  );
}
