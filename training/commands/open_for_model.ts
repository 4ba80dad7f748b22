import type { Config } from "../config.ts";
import type { Dataset } from "../dataset/dataset.ts";
import { openDataset } from "../dataset/open_dataset.ts";
import { showProgress } from "../dataset/show_progress.ts";
import { MODELS } from "../models/models.ts";

/** Reads a data folder as a model needs it, showing progress and the data's warnings. */
export async function openForModel(
  folder: string,
  config: Pick<Config, "model" | "side">,
): Promise<Dataset> {
  const dataset = await openDataset(folder, {
    side: config.side,
    channels: MODELS[config.model].channels,
    onProgress: showProgress("read", "images"),
  });
  for (const warning of dataset.warnings) console.error(`warning: ${warning}`);
  return dataset;
}
