// deno task bench:edge: small machines; every form of a network on every engine, beside its peers.
import { asVariant } from "../../shared/variants.ts";
import { ORIGINAL } from "../../shared/manifest.ts";
import { DirectoryStore } from "../../shared/object_store/directory.ts";
import { readWeights } from "../../shared/registry/weights.ts";
import { decodeOnnx } from "../../shared/onnx/read.ts";
import { VARIANT_NAMES, type VariantName } from "../../training/compress/variants.ts";
import { BLOCK } from "../../training/compress/blocks.ts";
import { type Bench, type BenchOptions, runBench, select } from "./bench.ts";
import {
  type Measured,
  measureEngine,
  type MeasureOptions,
  measurePeer,
  measureService,
} from "./edge/measure.ts";
import {
  NETWORK_NAMES,
  type NetworkName,
  type Published,
  publishedNetwork,
} from "./edge/networks.ts";
import { measurePeak, type Peak } from "./edge/peak.ts";
import { photo } from "./edge/photo.ts";
import { comparedOf, type Result, type Row, tablesOf } from "./edge/results.ts";
import { TRAINED_NAMES } from "./edge/trained_networks.ts";
import { boundOf, layerErrors, workOf } from "./edge/products.ts";
import { type Bucket, bucketOf } from "./edge/s3.ts";
import { describeMachine, formatMachine } from "./machine.ts";
import { NotHere } from "./peer.ts";
import { digits, formatTable } from "./table.ts";

const HELP = `AlexNet and SqueezeNet in every form on every engine, each in a fresh process

Usage: deno task bench:edge [options]

Rows are named NETWORK FORM ENGINE; --only alexnet, --only "int8 lean" or --only squeezenet/service
picks some, so that a part ends in minutes. Engines, on one thread each: lean, onnxruntime-web and
onnxruntime-node (where ./topfive add onnxruntime-node installed it); onnxruntime and OpenVINO in
Python (--python) as peers. lean×2 is lean on two threads. service/ENGINE is the whole service over
HTTP with one decoder, by topfive try.

first is process start to first answer, with the weights in a folder and, where ./topfive test built
an S3 server, in a bucket of it. peak and steady memory are those of one image at a time, one of them
decoded from a photograph of 12 megapixels (peers decode nothing). batch 8 is milliseconds an image. bound is the least time
here of one thread in WebAssembly: each product reads its weights once at the measured bandwidth or
multiplies at the measured peak, whichever takes longer. "layers" prints the relative error of each
product's output, "agreement" how far a form's answers agree with the float32 network's on images
that calibration did not see: same first, the share of images with the same first answer; first in
five, of those whose first answer is among the form's first five (top-5 agreement); five shared, the
mean share of the first five that the form's first five have too.

The networks are made and compressed once and kept in .topfive/bench-edge (remove it to make them
again). AlexNet's weights are drawn, for its trained ones cannot be had: its agreement says nothing.
SqueezeNet has ImageNet's weights and is asked about photographs. flowers (alexnet-small, 5 classes:
its five are always all) and cifar10 (cifar10-quick) are trained here, some minutes without a GPU,
and are asked about all images that were held out.

Examples
  deno task bench:edge --only "alexnet int8"
  deno task bench:edge --only agreement`;

const ENGINES = ["lean", "lean×2", "onnxruntime-web", "onnxruntime-node"] as const;
const PEERS = ["onnxruntime", "openvino"] as const;
/** A service's other threads start in a second: longer than its requests here take. */
const SERVICES = ENGINES.filter((engine) => engine !== "lean×2").map((engine) =>
  `service/${engine}`
);
/** SqueezeNet has no fully connected layer. */
const NAMES: Readonly<Record<typeof NETWORK_NAMES[number], readonly VariantName[]>> = {
  alexnet: VARIANT_NAMES,
  squeezenet: VARIANT_NAMES.filter((name) => name !== "int4"),
};
const RUNS = { quick: 7, full: 31 };

const ROWS: readonly Row[] = [
  ...NETWORK_NAMES.flatMap(rowsOf),
  ...TRAINED_NAMES.map((network) => partOf(network, "agreement")),
];

function rowsOf(network: typeof NETWORK_NAMES[number]): Row[] {
  return [
    ...[ORIGINAL, ...NAMES[network]].flatMap((form) =>
      [...ENGINES, ...PEERS, ...SERVICES].map((engine) => ({
        name: `${network} ${form} ${engine}`,
        network,
        form,
        engine,
      }))
    ),
    ...["layers", "agreement"].map((part) => partOf(network, part)),
  ];
}

function partOf(network: NetworkName, part: string): Row {
  return { name: `${network} ${part}`, network, form: "", engine: part };
}

const bench: Bench = { name: "bench:edge", help: HELP, run };

async function run(options: BenchOptions): Promise<void> {
  const rows = select(ROWS, options.only, ({ name }) => name);
  const machine = await describeMachine("none");
  const peak = await measurePeak();
  await using photograph = await photo();
  const results: Result[] = [];
  const missing: string[] = [];
  const networks = [...NETWORK_NAMES, ...TRAINED_NAMES];
  for (const network of networks.filter((name) => rows.some((row) => row.network === name))) {
    try {
      const published = await publishedNetwork(network);
      await using bucket = await bucketOf(published);
      const bounds = await boundsOf(published, peak);
      for (const row of rows.filter((candidate) => candidate.network === network)) {
        await measureRow(row, {
          ...{ published, bucket, bounds, options, results, missing },
          photo: photograph.path,
        });
      }
    } catch (error) {
      if (!(error instanceof NotHere)) throw error;
      missing.push(`${network}: ${error.message}`);
    }
  }
  if (options.json) {
    console.log(JSON.stringify({ machine, peak, results, missing }, null, 2));
  } else {
    const tables = tablesOf(results, [...formatMachine(machine), ...describePeak(peak)], missing);
    console.log(tables.map(formatTable).join("\n\n"));
  }
}

interface Work {
  readonly published: Published;
  readonly bucket: Bucket | undefined;
  readonly photo: string;
  readonly bounds: ReadonlyMap<string, number>;
  readonly options: BenchOptions;
  readonly results: Result[];
  readonly missing: string[];
}

async function measureRow(row: Row, work: Work): Promise<void> {
  const { published, bucket, photo, bounds, options: { quick, python }, results, missing } = work;
  console.error(row.name);
  try {
    if (row.engine === "layers") {
      results.push({ row, errors: await errorsOf(published) });
    } else if (row.engine === "agreement") {
      results.push({ row, compared: comparedOf(published.manifest) });
    } else {
      const measured = await measure(row, published, {
        variant: row.form,
        runs: quick ? RUNS.quick : RUNS.full,
        ...{ python, photo, bucket },
      });
      const { weights } = asVariant(published.manifest, row.form);
      const bound = bounds.get(row.form)!;
      results.push({ row, weightsBytes: weights.byteLength, bound, measured });
    }
  } catch (error) {
    if (!(error instanceof NotHere)) throw error;
    missing.push(`${row.name}: ${error.message}`);
  }
}

function measure(
  { engine }: Row,
  published: Published,
  options: MeasureOptions,
): Promise<Measured> {
  if (engine.startsWith("service/")) {
    return measureService(engine.replace("service/", ""), published, options);
  }
  return PEERS.some((peer) => peer === engine)
    ? measurePeer(engine, published, options)
    : measureEngine(engine, published, options);
}

async function boundsOf(published: Published, peak: Peak): Promise<Map<string, number>> {
  const model = await modelOf(published, ORIGINAL);
  const work = await workOf(model, picture(published));
  const float32 = { bytesPerWeight: 4, integers: false };
  const forms: Record<string, Parameters<typeof boundOf>[2]> = {
    float16: { ...float32, bytesPerWeight: 2 },
    "int8-weights": { ...float32, bytesPerWeight: 1 },
    int8: { bytesPerWeight: 1, integers: true },
    // A float32 scale for each block.
    int4: { bytesPerWeight: 1, bytesPerConnection: 0.5 + 4 / BLOCK, integers: true },
  };
  return new Map(
    [ORIGINAL, ...VARIANT_NAMES].map((form) => [
      form,
      boundOf(work, peak, forms[form] ?? float32),
    ]),
  );
}

async function errorsOf(published: Published): Promise<Record<string, Record<string, number>>> {
  const model = await modelOf(published, ORIGINAL);
  const errors: Record<string, Record<string, number>> = {};
  for (const { name: form } of published.manifest.variants ?? []) {
    const found = await layerErrors(model, await modelOf(published, form), picture(published));
    errors[form] = Object.fromEntries(found);
  }
  return errors;
}

async function modelOf({ store, manifest }: Published, form: string) {
  const weights = await readWeights(new DirectoryStore(store), asVariant(manifest, form));
  return decodeOnnx(weights);
}

/** Slopes and a ripple within the range of pixels less their mean. */
function picture({ manifest: { input: { shape } } }: Published): Float32Array {
  const length = shape[1] * shape[2] * shape[3];
  return Float32Array.from({ length }, (_, i) => 100 * Math.sin(i * 0.013) + i % 7);
}

function describePeak({ bandwidth, float32, int8 }: Peak): string[] {
  const giga = (value: number) => digits(value / 1e9);
  return [
    `one thread reads ${giga(bandwidth)} GB/s and multiplies and adds ${
      giga(float32)
    } G float32 or ` +
    `${giga(int8)} G int8 a second in WebAssembly`,
  ];
}

if (import.meta.main) await runBench(bench, Deno.args);
