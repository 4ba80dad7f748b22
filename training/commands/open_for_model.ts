import type { RecordSpec } from "../../shared/image/preprocess.ts";
import type { Config } from "../config.ts";
import type { Dataset } from "../dataset/dataset.ts";
import { openDataset, type OpenDatasetOptions } from "../dataset/open_dataset.ts";
import { showProgress } from "../dataset/show_progress.ts";
import { MODELS } from "../models/models.ts";

/** Reads a data folder as a model needs it, showing progress and the data's warnings. */
export function openForModel(
  folder: string,
  { model, side }: Pick<Config, "model" | "side">,
): Promise<Dataset> {
  return openRecords(folder, { side, channels: MODELS[model].channels });
}

/** As {@link openForModel}, for a network that is known by its records alone. */
export async function openRecords(
  folder: string,
  { side, channels, resize }: RecordSpec,
  { splits }: Pick<OpenDatasetOptions, "splits"> = {},
): Promise<Dataset> {
  const dataset = await openDataset(folder, {
    side,
    channels,
    onProgress: showProgress("read", "images"),
    ...(resize ? { resize } : {}),
    ...(splits ? { splits } : {}),
  });
  for (const warning of dataset.warnings) console.error(`warning: ${warning}`);
  return dataset;
}
