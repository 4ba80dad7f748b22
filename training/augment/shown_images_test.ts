import { assertEquals } from "@std/assert";
import { openGpu } from "../gpu/device.ts";
import { Random } from "../random.ts";
import { cropWord } from "./draw.ts";
import { shownImages } from "./shown_images.ts";

const gpu = await openGpu();
const SPEC = {
  side: 4,
  crop: 2,
  channels: 3,
  mean: [100, 120, 90.5],
  std: [50, 60, 55],
} as const;

Deno.test("shownImages() gives back the pixels of a crop, mirrored, shifted and dimmed as drawn", async () => {
  const random = new Random(2);
  const records = Uint8Array.from({ length: 2 * 48 }, () => random.below(256));
  const crops = Uint32Array.of(
    cropWord({ x: 1, y: 2, mirror: false }),
    cropWord({ x: 0, y: 1, mirror: true }),
  );
  const colors = Float32Array.of(0, 0, 0, 1, 300, -300, 0, 0.5);
  const [plain, drawn] = await shownImages(gpu, SPEC, { records, crops, colors }, null);
  const pixel = (
    image: number,
    x: number,
    y: number,
  ) => [...records.subarray(image * 48 + (y * 4 + x) * 3).subarray(0, 3)];
  assertEquals([...plain!], [[1, 2], [2, 2], [1, 3], [2, 3]].flatMap(([x, y]) => pixel(0, x!, y!)));
  // Halved about the mean: red and green leave the range, blue comes half as far from 90.5.
  const blue = [[1, 1], [0, 1], [1, 2], [0, 2]].map(([x, y]) => pixel(1, x!, y!)[2]!);
  drawn!.forEach((byte, i) => {
    if (i % 3 === 2) {
      const expected = 90.5 + (blue[Math.floor(i / 3)]! - 90.5) / 2;
      assertEquals(Math.abs(byte - expected) <= 0.51, true, `${byte} for ${expected}`);
    }
  });
});

Deno.test("shownImages() repeats grey, and leaves a mean image subtracted", async () => {
  const spec = { side: 2, crop: 2, channels: 1, mean: [100], std: [50] } as const;
  const batch = { records: Uint8Array.of(100, 200, 0, 255), crops: Uint32Array.of(0) };
  const [grey] = await shownImages(gpu, spec, batch, null);
  assertEquals([...grey!], [100, 200, 0, 255].flatMap((byte) => [byte, byte, byte]));
  const meanCrop = Float32Array.of(90, 110, 0, 255);
  const [less] = await shownImages(gpu, spec, batch, meanCrop);
  assertEquals([...less!].filter((_, i) => i % 3 === 0), [110, 190, 100, 100]);
});
