/** What a retraining would do, without writing anything into the store. */
import { join } from "node:path";
import type { Finding } from "./images/findings.ts";
import { ImageCache } from "./images/image_cache.ts";
import type { ClassCount } from "./images/judge.ts";
import type { RetrainOptions } from "./retrain.ts";
import { RunFile } from "./run_record.ts";
import { findImages } from "./stages/ingest.ts";
import { foreseeImages } from "./stages/validate.ts";

export interface Foresight {
  /** The run that the next retraining would go on with, where it would. */
  readonly unfinished: string | null;
  readonly images: number;
  readonly fresh: number;
  readonly gone: number;
  readonly unlabelled: readonly string[];
  readonly ignored: readonly string[];
  readonly classes: readonly ClassCount[];
  readonly findings: readonly Finding[];
}

export async function foresee(
  options: Pick<RetrainOptions, "store" | "model" | "settings" | "work" | "line" | "signal">,
): Promise<Foresight> {
  const { store, model, work } = options;
  const last = (await RunFile.openLatest(store, model))?.record;
  const isOpen = last?.state === "working" || last?.state === "failed";
  const context = {
    ...options,
    images: new ImageCache(store, join(work, "images")),
    // Behind every run there was: what they do not know is new.
    run: { record: { run: "to-come", base: last?.records ?? last?.base ?? null } },
  };
  const { records, fresh, gone, unlabelled, ignored } = await findImages(context);
  const { classes, findings } = await foreseeImages(context, records);
  return {
    unfinished: isOpen ? last.run : null,
    images: records.length,
    ...{ fresh, gone, unlabelled, ignored, classes, findings },
  };
}
