import type { PreprocessSpec } from "../../shared/image/preprocess.ts";
import type { Gpu } from "../gpu/device.ts";
import { runDispatches } from "../gpu/run_dispatches.ts";
import { augment, type AugmentBuffer, meanPixels } from "./augment.ts";
import { plainColors } from "./draw.ts";

export interface AugmentedBatch {
  /** [images, side, side, channels] */
  readonly records: Uint8Array<ArrayBuffer>;
  /** As of `BatchDraws`. */
  readonly crops: Uint32Array<ArrayBuffer>;
  readonly colors?: Float32Array<ArrayBuffer> | undefined;
}

/**
 * What a network sees of a batch, as pictures of [crop, crop, 3] bytes: the training kernel's output,
 * read back, times the deviation and plus the channels' mean. A mean image that was subtracted in
 * their place stays subtracted. Grey is repeated; what leaves 0 to 255 is cut off.
 */
export async function shownImages(
  gpu: Gpu,
  spec: PreprocessSpec,
  batch: AugmentedBatch,
  meanCrop: Float32Array | null,
): Promise<Uint8Array[]> {
  const { crop, channels, mean, std } = spec;
  const count = batch.crops.length, floats = crop * crop * 4;
  const dispatch = augment(spec, count, gpu);
  const { images } = await runDispatches<AugmentBuffer>(gpu, [dispatch], {
    records: batch.records,
    crops: batch.crops,
    colors: batch.colors ?? plainColors(new Float32Array(4 * count)),
    means: meanPixels(spec, meanCrop),
    images: new Float32Array(count * floats),
  });
  return Array.from({ length: count }, (_, image) => {
    // A clamped array rounds and cuts off.
    const picture = new Uint8ClampedArray(crop * crop * 3);
    for (let i = 0; i < picture.length; i++) {
      const c = channels === 1 ? 0 : i % 3;
      const value = images[image * floats + Math.floor(i / 3) * 4 + c]!;
      picture[i] = value * std[c]! + mean[c]!;
    }
    return new Uint8Array(picture.buffer);
  });
}
