/** The images that a network is calibrated on, and those that its forms are compared on. */
import { join } from "node:path";
import {
  decodeRecord,
  type PreprocessSpec,
  recordToTensor,
} from "../../shared/image/preprocess.ts";
import { ImageError } from "../../shared/image/image.ts";
import { type Dataset, memorySplit, type Split } from "../dataset/dataset.ts";
import { readRecord } from "../dataset/record_source.ts";

export interface HeldOut {
  /** Planes [channels, crop, crop]. */
  readonly calibrationImages: readonly Float32Array[];
  readonly split: Split;
  /** "test", "validation"; null where the images have no labels. */
  readonly splitName: string | null;
}

/**
 * Labelled data as training reads them: calibrated on training images, evenly spaced, and compared on
 * those of the test (validation, where there are none).
 *
 * @throws {Error} where the data's classes are not the model's.
 */
export function labelledImages(
  { train, test, validation, classes }: Dataset,
  { preprocess, labels, count }: {
    readonly preprocess: PreprocessSpec;
    readonly labels: readonly string[];
    /** Images of the calibration, at most. */
    readonly count: number;
  },
): HeldOut {
  if (JSON.stringify(classes) !== JSON.stringify(labels)) {
    throw new Error(
      `Cannot compress: the data's classes are ${classes.join(", ")}, the model's are ` +
        `${labels.join(", ")} (name other data with --data, or images alone with --images)`,
    );
  }
  const taken = Math.min(count, train.count);
  const calibrationImages = Array.from({ length: taken }, (_, i) => {
    const record = readRecord(train.source, Math.floor(i * train.count / taken));
    return recordToTensor(record, preprocess);
  });
  return {
    calibrationImages,
    split: test ?? validation,
    splitName: test ? "test" : "validation",
  };
}

/** Images without labels, in folders of any depth: every other one calibrates, the rest compare. */
export async function unlabelledImages(
  folder: string,
  { preprocess, count }: { readonly preprocess: PreprocessSpec; readonly count: number },
): Promise<HeldOut> {
  const calibrationImages: Float32Array[] = [];
  const compared: Uint8Array[] = [];
  const files = (await Array.fromAsync(filesIn(folder))).sort();
  let seen = 0;
  for (const file of files) {
    try {
      const record = await decodeRecord(await Deno.readFile(file), preprocess);
      const calibrates = seen++ % 2 === 0 && calibrationImages.length < count;
      if (calibrates) calibrationImages.push(recordToTensor(record, preprocess));
      else compared.push(record);
    } catch (error) {
      // A folder of pictures may hold other files.
      if (!(error instanceof ImageError)) throw error;
    }
  }
  if (compared.length === 0) {
    throw new Error(`Cannot compress: ${folder} has ${seen} readable images (expected 2 or more)`);
  }
  const records = await new Blob(compared as Uint8Array<ArrayBuffer>[]).bytes();
  const split = memorySplit(records, new Uint32Array(compared.length));
  return { calibrationImages, split, splitName: null };
}

async function* filesIn(folder: string): AsyncGenerator<string> {
  for await (const { name, isFile, isDirectory } of Deno.readDir(folder)) {
    if (isFile) yield join(folder, name);
    if (isDirectory) yield* filesIn(join(folder, name));
  }
}
