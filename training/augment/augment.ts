/**
 * From bytes to the network's input, on the GPU: only uint8 pixels cross over. The arithmetic is
 * that of `recordToTensor` in shared/image/preprocess.ts, to the bit.
 * @module
 */
import { centreOffset, type PreprocessSpec } from "../../shared/image/preprocess.ts";
import { type Dispatch, flatWorkgroups, specialize } from "../gpu/kernel.ts";
import { Random } from "../random.ts";
import text from "./augment.wgsl" with { type: "text" };

const THREADS = 64;
/** Steps draw from streams that no shuffle and no parameter of the same seed uses. */
const FIRST_STREAM = 2 ** 32;

export type AugmentBuffer = "records" | "crops" | "images";

export interface Augmentation {
  readonly randomCrop: boolean;
  readonly flip: boolean;
}

/**
 * Where each image's crop begins and whether it is mirrored, one u32 an image: x in bits 0 to 11,
 * y in 12 to 23, the mirror in 24. A pure function of seed and step, one draw per image.
 */
export function drawCrops(
  out: Uint32Array,
  spec: Pick<PreprocessSpec, "side" | "crop">,
  augmentation: Augmentation,
  place: { readonly seed: number; readonly step: number },
): Uint32Array {
  const margin = spec.side - spec.crop;
  const random = new Random(place.seed, FIRST_STREAM + place.step);
  const centre = Math.floor(margin / 2);
  for (let i = 0; i < out.length; i++) {
    const x = augmentation.randomCrop ? random.below(margin + 1) : centre;
    const y = augmentation.randomCrop ? random.below(margin + 1) : centre;
    const mirror = augmentation.flip && random.chance(0.5) ? 1 : 0;
    out[i] = x | y << 12 | mirror << 24;
  }
  return out;
}

/** The word of {@link drawCrops} for one crop. */
export function cropWord(
  { x, y, mirror }: { readonly x: number; readonly y: number; readonly mirror: boolean },
): number {
  return x | y << 12 | (mirror ? 1 : 0) << 24;
}

/** The word of {@link drawCrops} for an unmirrored crop in the centre. */
export function centreCrop(spec: Pick<PreprocessSpec, "side" | "crop">): number {
  return cropWord({ ...centreOffset(spec), mirror: false });
}

/** records [batch, side, side, channels] uint8 -> images [batch, crop, crop, 4] float32. */
export function augment(
  spec: PreprocessSpec,
  batch: number,
  maxWorkgroups: number,
): Dispatch<AugmentBuffer> {
  const channel = (c: number) => {
    const std = Math.fround(spec.std[c] ?? 1);
    return { [`MEAN_${c}`]: Math.fround(spec.mean[c] ?? 0), [`SCALE_${c}`]: Math.fround(1 / std) };
  };
  return {
    kernel: {
      label: `augment ${batch} x ${spec.crop} of ${spec.side}`,
      code: specialize(text, {
        BATCH: batch,
        SIDE: spec.side,
        CROP: spec.crop,
        CHANNELS: spec.channels,
        ...channel(0),
        ...channel(1),
        ...channel(2),
      }),
    },
    bindings: [{ buffer: "records" }, { buffer: "crops" }, { buffer: "images" }],
    workgroups: flatWorkgroups(batch * spec.crop * spec.crop, THREADS, maxWorkgroups),
  };
}
