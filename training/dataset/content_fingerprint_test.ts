import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { createHash } from "node:crypto";
import { ContentFingerprint, contentFingerprint } from "./content_fingerprint.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const IMAGES = Array.from({ length: 50 }, (_, i) => ({
  sha256: sha256(`image ${i}`),
  label: `class ${i % 3}`,
  split: i % 5 === 0 ? "test" : "train",
}));

Deno.test("contentFingerprint() is the hash over sorted hashes, whatever the order", () => {
  const digests = IMAGES.map(({ sha256: hash, split, label }) =>
    sha256(JSON.stringify([hash, split, label]))
  ).sort();
  const expected = createHash("sha256").update(Uint8Array.fromHex(digests.join(""))).digest("hex");
  assertEquals(contentFingerprint(IMAGES), expected);
  assertEquals(contentFingerprint(IMAGES.toReversed()), expected);
  const roomy = new ContentFingerprint(80);
  for (const image of IMAGES) roomy.add(image);
  assertEquals(roomy.digest(), expected, "room that is left does not count");
});

Deno.test("contentFingerprint() sees an image more, another class and another split", () => {
  const before = contentFingerprint(IMAGES);
  const [first, ...rest] = IMAGES;
  for (
    const changed of [
      rest,
      [...IMAGES, first!],
      [{ ...first!, label: "class 2" }, ...rest],
      [{ ...first!, split: "train" }, ...rest],
      [{ ...first!, sha256: sha256("another") }, ...rest],
    ]
  ) assertNotEquals(contentFingerprint(changed), before);
  const full = new ContentFingerprint(0);
  assertThrows(() => full.add(first!), RangeError);
});
