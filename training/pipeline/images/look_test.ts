import { assert, assertEquals, assertThrows } from "@std/assert";
import { resolve } from "node:path";
import { decodeRecord, toRecord } from "../../../shared/image/preprocess.ts";
import { decodeImage } from "../../../shared/image/decode.ts";
import { resize } from "../../../shared/image/resize/resize.ts";
import { Random } from "../../random.ts";
import { featuresOf, LOOK_SIDE, LookIndex, lookOf } from "./look.ts";

const FLOWERS = resolve(import.meta.dirname!, "../../../../shared/data/flowers5-224/train");
const hasFlowers = await Deno.stat(FLOWERS).then(() => true, () => false);
const RECORD = { side: LOOK_SIDE, channels: 3 } as const;

function differingBits(a: string, b: string): number {
  let bits = 0;
  for (let i = 0; i < a.length; i++) {
    for (let v = parseInt(a[i]!, 16) ^ parseInt(b[i]!, 16); v > 0; v &= v - 1) bits++;
  }
  return bits;
}

Deno.test("featuresOf() measures brightness, contrast, saturation, sharpness and size", () => {
  const record = new Uint8Array(LOOK_SIDE * LOOK_SIDE * 3);
  assertEquals(featuresOf(record, { width: 16, height: 32 }), [0, 0, 0, 0, 9]);
  // Columns of black and white: half bright, and as rough as can be.
  for (let i = 0; i < record.length; i++) record[i] = Math.floor(i / 3) % 2 * 255;
  const [brightness, contrast, saturation, sharpness] = featuresOf(record, { width: 1, height: 1 });
  assertEquals([brightness, contrast, saturation], [0.5, 0.5, 0]);
  assertEquals(sharpness, (LOOK_SIDE - 1) / LOOK_SIDE);
  record.fill(0);
  for (let i = 0; i < record.length; i += 3) record[i] = 255;
  assertEquals(featuresOf(record, { width: 1, height: 1 })[2], 1);
});

Deno.test("LookIndex finds the first look within so many bits, and no other", () => {
  const random = new Random(1);
  const looks = Array.from(
    { length: 300 },
    () => Array.from({ length: 2 }, () => random.uint32().toString(16).padStart(8, "0")).join(""),
  );
  const index = new LookIndex(7);
  for (const look of looks) index.add(look);
  for (const [number, look] of looks.entries()) {
    for (const bits of [0, 7, 8]) {
      const words = look.match(/.{8}/g)!.map((word) => parseInt(word, 16));
      const places = new Set<number>();
      while (places.size < bits) places.add(random.below(64));
      for (const place of places) words[place >> 5]! ^= 1 << (place & 31);
      const changed = words.map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
      assertEquals(index.find(changed), bits < 8 ? number : undefined);
    }
  }
  assertThrows(() => new LookIndex(8), RangeError);
});

Deno.test({
  name: "lookOf() differs little for a photograph in another size, and much for another one",
  ignore: !hasFlowers,
  async fn() {
    const files: string[] = [];
    for (const name of ["daisy", "roses", "tulips"]) {
      const names = [...Deno.readDirSync(`${FLOWERS}/${name}`)].map((entry) => entry.name).sort();
      files.push(...names.slice(0, 20).map((file) => `${FLOWERS}/${name}/${file}`));
    }
    const looks: string[] = [];
    let farthest = 0;
    for (const file of files) {
      const bytes = await Deno.readFile(file);
      const look = lookOf(await decodeRecord(bytes, RECORD));
      const image = await decodeImage(bytes);
      const smaller = resize(image, { width: 150, height: 150 });
      farthest = Math.max(farthest, differingBits(look, lookOf(toRecord(smaller, RECORD))));
      looks.push(look);
    }
    let nearest = 64;
    looks.forEach((look, i) => {
      for (const other of looks.slice(i + 1)) {
        nearest = Math.min(nearest, differingBits(look, other));
      }
    });
    assert(farthest <= 4 && nearest > 7, `same ${farthest}, others ${nearest}`);
  },
});
