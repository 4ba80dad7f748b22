// Training's evaluation and the service must show a network the same numbers for the same file: one
// comes from a GPU kernel on a dataset read in Workers, the other from the processor alone.
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import decodeFixture from "../shared/image/fixtures/decode.json" with { type: "json" };
import { preprocess, type PreprocessSpec } from "../shared/image/preprocess.ts";
import { evaluationBatches } from "../training/dataset/loader.ts";
import { openDataset } from "../training/dataset/open_dataset.ts";
import { openGpu } from "../training/gpu/device.ts";
import { Engine } from "../training/graph/engine.ts";
import { Graph } from "../training/graph/graph.ts";
import { flatten } from "../training/ops/flatten/flatten.ts";
import { gemm } from "../training/ops/gemm/gemm.ts";
import { fromStorage } from "../training/ops/layout.ts";
import { imageShape } from "../training/ops/op.ts";
import { softmaxCrossEntropy } from "../training/ops/softmax_cross_entropy/softmax_cross_entropy.ts";

/** Batches of this are cut from more images, so that the last one is partial. */
const BATCH = 7;
const PHOTOGRAPHS = new URL("../../shared/data/imagenet-samples/original/", import.meta.url);
const PHOTOGRAPH_COUNT = 9;

/** The least that an engine can be made of: what matters happens before the first layer. */
function anyNetwork({ channels, crop }: PreprocessSpec): Graph {
  const net = new Graph("any", imageShape(channels, crop, crop));
  const flat = net.add("flatten", flatten(), net.input);
  const weightInit = { kind: "constant", value: 0 } as const;
  net.add("loss", softmaxCrossEntropy(), net.add("fc", gemm({ outputs: 2, weightInit }), flat));
  return net;
}

/** The tensor [channels, crop, crop] of each test image, as training's evaluation makes it. */
async function evaluatedTensors(
  folder: string,
  spec: PreprocessSpec,
): Promise<Map<string, Float32Array>> {
  const { test } = await openDataset(folder, { side: spec.side, channels: spec.channels });
  const gpu = await openGpu();
  const graph = anyNetwork(spec);
  const options = { batch: BATCH, preprocess: spec, momentum: 0, decay: 0 };
  const engine = await Engine.create(gpu, graph, options);
  const tensors = new Map<string, Float32Array>();
  for (const batch of evaluationBatches(test!, BATCH)) {
    engine.evaluateStep(batch, batch.count);
    const stored = await engine.readImages(batch.count);
    const values = fromStorage(stored, graph.input.shape, batch.count);
    const length = values.length / batch.count;
    for (let i = 0; i < batch.count; i++) {
      tensors.set(test!.files![batch.start + i]!, values.slice(i * length, (i + 1) * length));
    }
  }
  engine.close();
  gpu.close();
  return tensors;
}

async function assertSameTensors(
  files: ReadonlyMap<string, Uint8Array>,
  spec: PreprocessSpec,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    let index = 0;
    for (const [name, bytes] of files) {
      const label = ["even", "odd"][index++ % 2]!;
      for (const split of ["train", "val", "test"]) {
        await Deno.mkdir(join(folder, split, label), { recursive: true });
        await Deno.writeFile(join(folder, split, label, name), bytes);
      }
    }
    const evaluated = await evaluatedTensors(folder, spec);
    assertEquals(evaluated.size, files.size);
    // The service has its spec from a manifest, so through JSON.
    const published: PreprocessSpec = JSON.parse(JSON.stringify(spec));
    for (const [path, tensor] of evaluated) {
      const served = await preprocess(await Deno.readFile(join(folder, path)), published);
      assert(new Set(served).size > 2, `${path} says nothing`);
      assertEquals(new Uint32Array(tensor.buffer), new Uint32Array(served.buffer), path);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Every kind that the decoder takes: luma, CMYK, alpha, palette, rotated, compressed. */
function fixtureFiles(): Map<string, Uint8Array> {
  return new Map(decodeFixture.cases.map(({ name, file }) => {
    const [format] = name.split(" ");
    return [`${name.replaceAll(" ", "_")}.${format}`, Uint8Array.fromBase64(file)];
  }));
}

const colour: PreprocessSpec = {
  side: 19,
  crop: 16,
  channels: 3,
  mean: [123.67512345, 116.28, 0.1],
  std: [58.395000001, 1 / 3, 257.1],
};

Deno.test("evaluation and service make the same tensor to the bit of every format in colour", async () => {
  await assertSameTensors(fixtureFiles(), colour);
});

Deno.test("evaluation and service make the same tensor to the bit in grey and enlarged", async () => {
  await assertSameTensors(fixtureFiles(), {
    side: 33,
    crop: 33,
    channels: 1,
    mean: [33.318421449829934],
    std: [78.56748998339798],
  });
});

Deno.test({
  name: "evaluation and service make the same tensor to the bit of photographs at AlexNet's size",
  ignore: !(await Deno.stat(PHOTOGRAPHS).then(() => true, () => false)),
  fn: async () => {
    const names = [...Deno.readDirSync(PHOTOGRAPHS)].map(({ name }) => name).sort();
    const files = new Map<string, Uint8Array>();
    for (const name of names.slice(0, PHOTOGRAPH_COUNT)) {
      files.set(name, await Deno.readFile(new URL(name, PHOTOGRAPHS)));
    }
    await assertSameTensors(files, { ...colour, side: 256, crop: 224 });
  },
});
