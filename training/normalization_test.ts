import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { recordToTensor } from "../shared/image/preprocess.ts";
import { augmentReference } from "./augment/augment_reference.ts";
import { centreCrop } from "./augment/draw.ts";
import { memorySplit } from "./dataset/dataset.ts";
import { statisticsOf } from "./dataset/statistics.ts";
import {
  meanCropHash,
  normalize,
  readMeanCrop,
  residualOf,
  saveMeanCrop,
} from "./normalization.ts";
import { Random } from "./random.ts";

const [SIDE, CROP, IMAGES] = [7, 4, 9];
const BYTES = SIDE * SIDE * 3;
const random = new Random(4);
const records = Uint8Array.from({ length: IMAGES * BYTES }, () => random.below(256));
const statistics = statisticsOf(memorySplit(records, new Uint32Array(IMAGES)), 3);

Deno.test("normalize() divides by deviations where asked, and by 1 where a channel never varies", () => {
  const config = { mean: "channel", standardize: true, side: SIDE } as const;
  const flat = { ...statistics, std: [0, ...statistics.std.slice(1)] };
  assertEquals(normalize(flat, config, CROP), {
    mean: statistics.mean,
    std: [1, ...statistics.std.slice(1)],
    meanCrop: null,
  });
  const { std } = normalize(flat, { ...config, standardize: false }, CROP);
  assertEquals(std, [1, 1, 1]);
});

Deno.test("normalize() takes the mean image's central crop", () => {
  const config = { mean: "image", standardize: true, side: SIDE } as const;
  const { meanCrop } = normalize(statistics, config, CROP);
  const [row, column, channel] = [2, 3, 1];
  // (7 - 4) / 2, rounded down, is one pixel from the left and from the top.
  const at = ((row + 1) * SIDE + column + 1) * 3 + channel;
  const bytes = Array.from({ length: IMAGES }, (_, i) => records[i * BYTES + at]!);
  const mean = bytes.reduce((sum, byte) => sum + byte, 0) / IMAGES;
  assertAlmostEquals(meanCrop![(row * CROP + column) * 3 + channel]!, mean, 1e-5);
  assertEquals(meanCrop!.length, CROP * CROP * 3);
});

Deno.test("residualOf() is what the service's tensor and training's differ by", () => {
  const config = { mean: "image", standardize: true, side: SIDE } as const;
  const { meanCrop, ...rest } = normalize(statistics, config, CROP);
  const spec = { side: SIDE, crop: CROP, channels: 3, ...rest } as const;
  const record = records.subarray(0, BYTES);
  const served = recordToTensor(record, spec);
  const draw = { crop: centreCrop(spec), color: [0, 0, 0, 1] };
  const trained = augmentReference(record, spec, draw, meanCrop!);
  const residual = residualOf(spec, meanCrop!);
  assert(residual.some((value) => Math.abs(value) > 0.1));
  served.forEach((value, i) => {
    const c = Math.floor(i / CROP ** 2), pixel = i % CROP ** 2;
    assertAlmostEquals(value - residual[i]!, trained[pixel * 4 + c]!, 1e-6);
  });
});

Deno.test("readMeanCrop() gives what saveMeanCrop() wrote, and refuses an altered or absent file", async () => {
  const folder = await Deno.makeTempDir();
  const meanCrop = Float32Array.of(1.5, -2, 1 / 3);
  const hash = meanCropHash(meanCrop);
  await assertRejects(() => readMeanCrop(folder, hash), SyntaxError, "is not there");
  await saveMeanCrop(folder, meanCrop);
  assertEquals(await readMeanCrop(folder, hash), meanCrop);
  for (const length of [11, 8]) {
    await Deno.truncate(join(folder, "mean_crop.f32"), length);
    await assertRejects(() => readMeanCrop(folder, hash), SyntaxError, "truncated or altered");
  }
  await Deno.remove(folder, { recursive: true });
});
