import type { DecodePool } from "../workers/decode_pool.ts";
import type { ServedModel } from "./served_model.ts";

/** The self-test image is the publisher's own; it needs no smaller limit than this. */
const MAX_PIXELS = 4096 * 4096;

/**
 * Asks a loaded model the question in its manifest, through the same decoder and session that
 * clients' images go through. A manifest without a self-test passes.
 *
 * @throws {RangeError} when the answer is another one.
 */
export async function requireSelfTest(model: ServedModel, decoders: DecodePool): Promise<void> {
  const { name, version, selfTest, preprocess, labels } = model.manifest;
  if (selfTest === undefined) return;
  const { values } = await decoders.decode({
    bytes: Uint8Array.fromBase64(selfTest.image),
    spec: preprocess,
    maxPixels: MAX_PIXELS,
    views: "centre",
  });
  const { probabilities } = await model.run(values);
  for (const { index, probability } of selfTest.top) {
    const found = probabilities[index] ?? NaN;
    if (Math.abs(found - probability) <= selfTest.tolerance) continue;
    throw new RangeError(
      `Cannot serve ${name} ${version}: its self-test gives ${labels[index]} ${
        found.toFixed(4)
      }, ` +
        `expected ${probability.toFixed(4)} (publish the model again)`,
    );
  }
}
