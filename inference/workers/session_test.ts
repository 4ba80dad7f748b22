import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import type { ModelManifest } from "../../shared/manifest.ts";
import { preprocess } from "../../shared/image/preprocess.ts";
import {
  coloursManifest as unpublished,
  coloursProbabilities,
  fixture,
} from "../fixtures/colours.ts";
import { nativeFolder } from "../onnxruntime/native_folder.ts";
import { RUNTIMES } from "./runtimes.ts";
import { openSession } from "./session.ts";

const colours = await fixture("colours.onnx");

/** The session never looks at the description of the weights. */
function coloursManifest(): ModelManifest {
  const weights = { sha256: "0".repeat(64), byteLength: colours.length, key: "colours.onnx" };
  return { schemaVersion: 1, ...unpublished(), weights };
}

const native = await Deno.stat(nativeFolder()).then(() => true, () => false);
Deno.test({
  name: "onnxruntime-node is installed (./topfive add onnxruntime-node): its tests run",
  ignore: !native,
  fn() {},
});

const installed = RUNTIMES.filter((name) => native || name !== "onnxruntime-node");

for (const runtime of installed) {
  Deno.test(`Session.run() on ${runtime} gives ONNX Runtime's own probabilities, alone and in a batch`, async () => {
    const manifest = coloursManifest();
    const session = await openSession(colours, manifest, { runtime });
    const names = Object.keys(coloursProbabilities);
    const tensors = await Promise.all(
      names.map(async (name) => await preprocess(await fixture(name), manifest.preprocess)),
    );
    const size = tensors[0]!.length;
    const batch = new Float32Array(size * names.length);
    tensors.forEach((tensor, index) => batch.set(tensor, index * size));
    const together = await session.run(batch, names.length);
    for (const [index, name] of names.entries()) {
      const alone = await session.run(tensors[index]!, 1);
      assertEquals(alone.length, 4);
      // A JPEG decoder may differ by one of 255 from Pillow's.
      const tolerance = name.endsWith(".png") ? 1e-6 : 5e-3;
      for (const [place, expected] of coloursProbabilities[name]!.entries()) {
        assertAlmostEquals(alone[place]!, expected, tolerance, `${name}, class ${place}`);
        assertAlmostEquals(together[index * 4 + place]!, alone[place]!, 1e-6);
      }
    }
    await session.close();
  });

  Deno.test(`Session.run() on ${runtime} refuses an input that does not fill the batch`, async () => {
    const session = await openSession(colours, coloursManifest(), { runtime });
    await assertRejects(
      () => session.run(new Float32Array(3 * 16 * 16), 2),
      RangeError,
      "Cannot run colours: input has 768 values, expected 1536 (2 × 3 × 16 × 16)",
    );
    await session.close();
  });

  Deno.test(`openSession() on ${runtime} refuses bytes that are no ONNX model`, async () => {
    const manifest = coloursManifest();
    for (const bytes of [new Uint8Array(64).fill(7), colours.subarray(0, colours.length - 40)]) {
      await assertRejects(
        () => openSession(bytes, manifest, { runtime }),
        SyntaxError,
        "Cannot load the weights of colours v1",
      );
    }
  });

  Deno.test(`openSession() on ${runtime} refuses a network that is not what the manifest says`, async () => {
    const wrong: [Partial<ModelManifest>, string][] = [
      [
        { input: { name: "data", shape: [-1, 3, 16, 16] } },
        "its input is image float32 [batch,3,16,16], but the manifest says data float32",
      ],
      [
        { input: { name: "image", shape: [-1, 3, 32, 32] } },
        "manifest says image float32 [batch,3,",
      ],
      [{ input: { name: "image", shape: [8, 3, 16, 16] } }, "it takes batches of 8 alone"],
      [
        { output: { name: "probabilities", classes: 5 } },
        "its output is probabilities float32 [batch,4], but the manifest says probabilities float32 " +
        "[batch,5]",
      ],
      [{ output: { name: "logits", classes: 4 } }, "but the manifest says logits"],
    ];
    for (const [part, message] of wrong) {
      const manifest = { ...coloursManifest(), ...part };
      await assertRejects(() => openSession(colours, manifest, { runtime }), RangeError, message);
    }
  });
}

const data = new URL("../../../shared/data/", import.meta.url);
const squeezeNet = new URL("models/squeezenet10-deepcompression/", data);
const photographs = new URL("imagenet-samples/original/", data);

for (const runtime of installed) {
  Deno.test({
    name: `Session.run() on ${runtime} agrees with ONNX Runtime on SqueezeNet's photographs`,
    ignore: ![squeezeNet, photographs].every(exists),
    fn: async () => {
      const spec = {
        side: 256,
        crop: 227,
        channels: 3 as const,
        mean: [123, 117, 104],
        std: [1, 1, 1],
      };
      const manifest: ModelManifest = {
        ...coloursManifest(),
        name: "squeezenet",
        input: { name: "data", shape: [-1, 3, 227, 227] },
        output: { name: "prob", classes: 1000 },
        preprocess: spec,
      };
      const weights = await Deno.readFile(new URL("squeezenet1.0-dc.onnx", squeezeNet));
      const session = await openSession(weights, manifest, { runtime });
      const { results } = JSON.parse(
        await Deno.readTextFile(new URL("expected-top5.json", squeezeNet)),
      ) as { results: { file: string; top5: [number, number][] }[] };
      // The reference squeezed the whole picture into the square; ours crops. Where it was certain,
      // the crop must not change the answer.
      const certain = results.filter(({ top5 }) => top5[0]![1] > 0.97).slice(0, 8);
      assert(certain.length >= 5, `only ${certain.length} photographs with a certain answer`);
      for (const { file, top5 } of certain) {
        const rgb = await preprocess(await Deno.readFile(new URL(file, data)), spec);
        const probabilities = await session.run(swapRedAndBlue(rgb), 1);
        assertEquals(probabilities.indexOf(Math.max(...probabilities)), top5[0]![0], file);
      }
      await session.close();
    },
  });
}

/** SqueezeNet was trained on planes in the order blue, green, red. */
function swapRedAndBlue(planes: Float32Array): Float32Array {
  const size = planes.length / 3;
  return Float32Array.from(
    planes,
    (_, index) => planes[(2 - Math.floor(index / size)) * size + index % size]!,
  );
}

function exists(url: URL): boolean {
  try {
    return Deno.statSync(url).isDirectory;
  } catch {
    return false;
  }
}
