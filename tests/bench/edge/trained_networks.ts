/** Networks that the bench trains itself, once, for their agreement on images with labels. */
import { fromFileUrl, join } from "@std/path";
import { type HeldOut, labelledImages } from "../../../training/compress/held_out.ts";
import { openSubject, type Subject } from "../../../training/compress/subject.ts";
import { openDataset } from "../../../training/dataset/open_dataset.ts";
import { NotHere } from "../peer.ts";

const TOPFIVE = fromFileUrl(new URL("../../../topfive", import.meta.url));

/** What `topfive train` is given, beside a seed of 1: minutes without a GPU. */
const SETTINGS = {
  flowers: { data: "flowers5-224", args: ["--model", "alexnet-small", "--epochs", "30"] },
  cifar10: {
    data: "cifar10",
    args: ["--model", "cifar10-quick", "--epochs", "20", "--batch-size", "32"],
  },
} as const;

export const TRAINED_NAMES = ["flowers", "cifar10"] as const;
export type TrainedName = typeof TRAINED_NAMES[number];

/** Images of the calibration, as `topfive compress` takes them. */
const CALIBRATION = 128;

/**
 * The network as trained here or before, and the images that its forms are calibrated and compared on.
 *
 * @param folder where its run is kept
 * @param data the folder of data sets
 * @throws {NotHere} where the data is not on this machine.
 */
export async function trainedNetwork(
  name: TrainedName,
  { folder, data, version }: {
    readonly folder: string;
    readonly data: URL;
    readonly version: string;
  },
): Promise<{ readonly subject: Subject; readonly heldOut: HeldOut }> {
  const images = fromFileUrl(new URL(SETTINGS[name].data, data));
  await Deno.stat(images).catch(() => {
    throw new NotHere(`its images are not in ${images}`);
  });
  const run = join(folder, "run");
  const isTrained = await Deno.stat(join(run, "report.html")).then(() => true, () => false);
  if (!isTrained) await train(run, ["--data", images, ...SETTINGS[name].args]);
  const subject = await openSubject(run, null, { name, version });
  const { side, channels } = subject.preprocess;
  const dataset = await openDataset(images, { side, channels });
  return { subject, heldOut: labelledImages(dataset, { ...subject, count: CALIBRATION }) };
}

async function train(run: string, args: readonly string[]): Promise<void> {
  // What a killed training left.
  await Deno.remove(run, { recursive: true }).catch(() => {});
  const { success } = await new Deno.Command(TOPFIVE, {
    args: ["train", ...args, "--seed", "1", "--out", run],
    stdout: "null",
  }).output();
  if (!success) throw new NotHere("its training failed");
}
