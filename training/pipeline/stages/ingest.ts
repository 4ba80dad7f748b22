import { type Arrival, isCurrent, labelOf, listArrivals } from "../images/arrivals.ts";
import { encodeRecords, type ImageRecord, readRecords } from "../images/image_record.ts";
import { atOnce } from "../at_once.ts";
import { incomingPrefix, resultKey } from "../keys.ts";
import type { LookContext, Stage } from "../stage.ts";

export interface IngestOutput {
  /** Key of the image records: one for each image that is there and labelled. */
  readonly records: string;
  readonly listing: string;
  readonly images: number;
  /** That the run before did not know, or knew otherwise. */
  readonly fresh: number;
  /** That the run before knew and that are there no more. */
  readonly gone: number;
  /** Images without a folder or a sidecar, and sidecars that cannot be read. */
  readonly unlabelled: readonly string[];
  readonly ignored: readonly string[];
}

/** Requests to the store at a time. */
const AT_ONCE = 8;

/** Finds what came since the last run, fetches it and names it by its content. */
export const ingest: Stage<"ingest"> = {
  name: "ingest",
  inputs: ({ run, settings }) => ({ base: run.record.base, prefix: settings.images.prefix }),
  async run(context) {
    const { store, model, run } = context;
    const { run: name } = run.record;
    const found = await findImages(context);
    const records = resultKey(model, name, "ingested.jsonl");
    await store.put(records, encodeRecords(found.records));
    const { listing, fresh, gone, unlabelled, ignored } = found;
    return { records, listing, images: found.records.length, fresh, gone, unlabelled, ignored };
  },
  describe: ({ images, fresh, gone, unlabelled, ignored }) =>
    [
      `${images} images, ${fresh} new`,
      ...(gone > 0 ? [`${gone} gone`] : []),
      ...(unlabelled.length > 0 ? [`${unlabelled.length} without a label`] : []),
      ...(ignored.length > 0 ? [`${ignored.length} other files`] : []),
    ].join(", "),
};

interface Found extends Omit<IngestOutput, "records" | "images"> {
  readonly records: readonly ImageRecord[];
}

/** Compares what is stored with what the run before knew, and reads what is new. */
export async function findImages(
  { store, model, run, settings, images, line, signal }: LookContext,
): Promise<Found> {
  const { run: name, base } = run.record;
  const prefix = settings.images.prefix ?? incomingPrefix(model);
  const arrivals = await listArrivals(store, prefix);
  const known = base === null
    ? new Map<string, ImageRecord>()
    : new Map((await readRecords(store, base)).map((record) => [record.key, record]));
  const records: ImageRecord[] = [];
  const fresh: Arrival[] = [];
  for (const arrival of arrivals.images) {
    const record = known.get(arrival.key);
    if (record && isCurrent(record, arrival)) records.push(record);
    else fresh.push(arrival);
  }
  const unlabelled = [...arrivals.unlabelled];
  let done = 0;
  await atOnce(fresh, AT_ONCE, async (arrival) => {
    signal.throwIfAborted();
    const label = await labelOf(store, arrival);
    if ("problem" in label) unlabelled.push(`${arrival.key} (${label.problem})`);
    else {
      const { key, byteLength, modifiedAt } = arrival;
      records.push({
        ...{ key, byteLength, modifiedAt },
        labelledAt: "at" in arrival.label ? arrival.label.at : null,
        label: label.label,
        sha256: await images.fetch(key),
        since: name,
        seen: null,
      });
    }
    line.update(`ingest: ${++done} of ${fresh.length} new images`);
  });
  const there = new Set(arrivals.images.map(({ key }) => key));
  return {
    records: records.sort((a, b) => a.key < b.key ? -1 : 1),
    listing: arrivals.fingerprint,
    fresh: fresh.length,
    gone: [...known.keys()].filter((key) => !there.has(key)).length,
    unlabelled: unlabelled.sort(),
    ignored: arrivals.ignored,
  };
}
