import { createHash } from "node:crypto";
import { runInWorkers } from "../../dataset/worker_pool.ts";
import type { Finding } from "../images/findings.ts";
import { encodeRecords, type ImageRecord, readRecords, type Seen } from "../images/image_record.ts";
import { type ClassCount, judge, type Judgement } from "../images/judge.ts";
import type { LookTask } from "../images/look_worker.ts";
import { keepSplitRule, readSplitRule, type SplitRule } from "../images/split_rule.ts";
import { resultKey, splitRuleKey } from "../keys.ts";
import type { LookContext, Stage } from "../stage.ts";

export interface ValidateOutput {
  /** Key of the image records, with what was seen in them: what the next run begins with. */
  readonly records: string;
  /** Key of the images that are used. */
  readonly used: string;
  /** sha256 of content, label and split of every image that is used. */
  readonly dataset: string;
  /** Key of the report, which names every file. */
  readonly report: string;
  readonly classes: readonly ClassCount[];
  /** Without their files. */
  readonly findings: readonly Pick<Finding, "rule" | "stops" | "text">[];
}

const FILES_PER_TASK = 16;

/** Looks at every new image, and decides which images are used and whether to go on with them. */
export const validate: Stage<"validate"> = {
  name: "validate",
  inputs: ({ settings, result }) => ({ records: result("ingest").records, rules: settings.images }),
  async run(context) {
    const { store, model, run, settings, result } = context;
    const { run: name } = run.record;
    const records = await look(context, await readRecords(store, result("ingest").records));
    const splitRule = await keepSplitRule(store, splitRuleKey(model), settings.images);
    const judgement = judge(records, { rules: settings.images, splitRule, run: name });
    const keys = {
      records: resultKey(model, name, "images.jsonl"),
      used: resultKey(model, name, "used.jsonl"),
      report: resultKey(model, name, "validation.json"),
    };
    const used = judgement.used.toSorted((a, b) => a.sha256 < b.sha256 ? -1 : 1);
    const lines = used.map((image) => JSON.stringify(image) + "\n").join("");
    await store.put(keys.records, encodeRecords(records));
    await store.put(keys.used, new TextEncoder().encode(lines));
    await store.put(keys.report, encodeReport(judgement, splitRule));
    return {
      ...keys,
      dataset: fingerprintOf(used),
      classes: judgement.classes,
      findings: judgement.findings.map(({ rule, stops, text }) => ({ rule, stops, text })),
    };
  },
  describe: ({ classes, findings }) => {
    const images = (split: "train" | "validation" | "test") =>
      classes.reduce((sum, count) => sum + count[split], 0);
    const stops = findings.filter((finding) => finding.stops).map(({ text }) => text);
    if (stops.length > 0) return `stopped: ${stops.join("; ")}`;
    return [
      `${classes.length} classes`,
      `${images("train")} training, ${images("validation")} validation and ${images("test")} ` +
      "test images",
      ...findings.map(({ text }) => text),
    ].join("; ");
  },
};

/** What a run would make of the images, without writing anything. */
export async function foreseeImages(
  context: LookContext,
  found: readonly ImageRecord[],
): Promise<Judgement> {
  const { store, model, settings, run } = context;
  const splitRule = await readSplitRule(store, splitRuleKey(model)) ?? settings.images;
  const records = await look(context, found);
  return judge(records, { rules: settings.images, splitRule, run: run.record.run });
}

/** Looks at the images that nobody has looked at. */
async function look(
  { images, line, settings, signal }: LookContext,
  records: readonly ImageRecord[],
): Promise<ImageRecord[]> {
  const unseen = records.filter(({ sha256, seen }) => sha256 !== null && seen === null);
  const tasks: LookTask[] = [];
  const seen = new Map<string, Seen>();
  let done = 0;
  for (const { key, sha256 } of unseen) await images.require(key, sha256!);
  for (let at = 0; at < unseen.length; at += FILES_PER_TASK) {
    const paths = unseen.slice(at, at + FILES_PER_TASK).map(({ sha256 }) => images.pathOf(sha256!));
    tasks.push({ paths, maxPixels: settings.images.maxPixels });
  }
  await runInWorkers<LookTask, Seen[]>({
    module: new URL("../images/look_worker.ts", import.meta.url),
    tasks,
    onResult: (results, { paths }) => {
      signal.throwIfAborted();
      results.forEach((each, i) => seen.set(paths[i]!, each));
      done += paths.length;
      line.update(`validate: ${done} of ${unseen.length} new images`);
    },
  });
  return records.map((record) =>
    record.sha256 !== null && record.seen === null
      ? { ...record, seen: seen.get(images.pathOf(record.sha256))! }
      : record
  );
}

function fingerprintOf(used: Judgement["used"]): string {
  const hash = createHash("sha256");
  for (const { sha256, label, split } of used) hash.update(JSON.stringify([sha256, label, split]));
  return hash.digest("hex");
}

function encodeReport({ classes, findings }: Judgement, splitRule: SplitRule): Uint8Array {
  const text = JSON.stringify({ splitRule, classes, findings }, null, 2) + "\n";
  return new TextEncoder().encode(text);
}
