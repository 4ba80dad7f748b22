import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { z } from "zod";
import { parse, Sha256 } from "../../../shared/manifest.ts";
import type { ObjectStore } from "../../../shared/object_store/object_store.ts";
import type { Dataset } from "../../dataset/dataset.ts";
import { openDataset } from "../../dataset/open_dataset.ts";
import { MODELS } from "../../models/models.ts";
import { prepare as prepareImages } from "../../prepare/prepare.ts";
import { writeAtomically } from "../../write_atomically.ts";
import { atOnce } from "../at_once.ts";
import type { UsedImage } from "../images/judge.ts";
import type { Stage, StageContext } from "../stage.ts";

export interface PrepareOutput {
  /** Of the decoded records: another machine comes to the same. */
  readonly fingerprint: string;
  readonly images: number;
  readonly side: number;
  readonly bytes: number;
}

const SHARD_BYTES = 256e6;
const AT_ONCE = 8;

const UsedImageSchema = z.strictObject({
  key: z.string(),
  sha256: Sha256,
  label: z.string(),
  split: z.enum(["train", "validation", "test"]),
}) satisfies z.ZodType<UsedImage>;

/** Decodes every image once, to the records that training reads. */
export const prepare: Stage<"prepare"> = {
  name: "prepare",
  inputs: ({ settings, result }) => {
    const { model, side, seed } = settings.training;
    return { used: result("validate").dataset, model, side, seed };
  },
  async run(context) {
    const { dataset: { fingerprint }, bytes, images } = await openPrepared(context);
    return { fingerprint, bytes, images, side: context.settings.training.side };
  },
  describe: ({ images, side, bytes }) =>
    `${images} records of ${side} x ${side} pixels, ${(bytes / 1e6).toFixed(1)} MB`,
};

/** The images of a run, in the order of their content's hashes. */
async function readUsed(store: ObjectStore, key: string): Promise<UsedImage[]> {
  const object = await store.get(key);
  if (object === null) throw new Error(`Cannot read ${key}: it is missing from the store`);
  const lines = new TextDecoder().decode(object.bytes).split("\n").filter((line) => line !== "");
  return lines.map((line) => parse("used image", UsedImageSchema, line));
}

/**
 * The records of a run, decoded on this machine where they are not there yet.
 *
 * @throws {Error} an image is no longer in the store
 */
export async function openPrepared(context: StageContext): Promise<{
  readonly dataset: Dataset;
  readonly folder: string;
  readonly used: readonly UsedImage[];
  readonly images: number;
  readonly bytes: number;
}> {
  const { store, images, settings, work, line, result, signal } = context;
  const { dataset: content, used: key } = result("validate");
  const { model, side, seed } = settings.training;
  const { channels } = MODELS[model];
  const used = await readUsed(store, key);
  await atOnce(used, AT_ONCE, async (image) => {
    signal.throwIfAborted();
    await images.require(image.key, image.sha256);
  });
  const list = join(work, `images-${content.slice(0, 16)}.jsonl`);
  const lines = used.map(({ sha256, label, split }) =>
    JSON.stringify({ path: `${basename(images.folder)}/${sha256}`, label, split }) + "\n"
  );
  await writeAtomically(list, [new TextEncoder().encode(lines.join(""))]);
  const kind = createHash("sha256").update(JSON.stringify({ content, side, channels, seed }));
  const folder = join(work, `prepared-${kind.digest("hex").slice(0, 16)}`);
  const { report } = await prepareImages({
    source: list,
    folder,
    settings: {
      ...{ side, channels, seed, shardBytes: SHARD_BYTES, validationShare: 0, testShare: 0 },
      maxPixels: settings.images.maxPixels,
    },
    onProgress: ({ done, total }) => line.update(`prepare: ${done} of ${total} images`),
  });
  const dataset = await openDataset(folder, { side, channels });
  // Damage in the fine detail of a file is not seen at the size at which it was looked at.
  const broken = new Set(dataset.broken.map(({ file }) => basename(file)));
  return {
    dataset,
    folder,
    used: used.filter(({ sha256 }) => !broken.has(sha256)),
    images: report.images.read,
    bytes: report.bytes,
  };
}
