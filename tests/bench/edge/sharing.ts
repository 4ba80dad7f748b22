/**
 * What weight sharing and Huffman coding (Han et al., "Deep Compression", 2016) would save on the wire
 * beyond the forms that there are, and what it would cost in answers.
 *
 *     deno run -A tests/bench/edge/sharing.ts FILE.onnx DATA
 *
 * The file is one that `topfive export` wrote, or `pruned.onnx` of `topfive compress --out`. Codes are
 * counted at their entropy, which no Huffman code beats, and without a decoder's own bytes.
 * @module
 */
import type { OnnxModel, OnnxTensor } from "../../../shared/onnx/onnx_node.ts";
import { measureForm, measureOriginal } from "../../../training/compress/compress.ts";
import { gemmToMatMul } from "../../../training/compress/fully_connected.ts";
import { labelledImages } from "../../../training/compress/held_out.ts";
import { productsOf } from "../../../training/compress/quantize.ts";
import { openSubject } from "../../../training/compress/subject.ts";
import { makeVariants, variantsOf } from "../../../training/compress/variants.ts";
import { wireBytesOf } from "../../../training/compress/wire_bytes.ts";
import { openDataset } from "../../../training/dataset/open_dataset.ts";
import { encodeOnnx } from "../../../training/onnx/write.ts";
import { digits, formatTable } from "../table.ts";

/** Section 5 of the paper: 8 bits for convolutions, 5 for fully connected layers. */
const CONVOLUTION_BITS = 8;
const CONNECTED_BITS = [5, 4];
/** Rounds of k-means; the centroids hardly move after ten. */
const ROUNDS = 30;
/** Of the distance between two weights that are not zero; longer ones take several (section 2). */
const LONGEST_GAP = { convolution: 255, connected: 31 };

interface Shared {
  /** As the network reads it. */
  readonly weights: Float32Array;
  /** Centroid of each weight; those of weights that are zero are not stored. */
  readonly codes: Uint8Array;
  readonly centroids: number;
}

/** k-means of weights that are not zero, from centroids at equal distances (section 3.2). */
function share(weights: Float32Array, bits: number): Shared {
  const count = 2 ** bits;
  const kept = weights.filter((weight) => weight !== 0);
  const low = kept.reduce((least, weight) => Math.min(least, weight), Infinity);
  const high = kept.reduce((most, weight) => Math.max(most, weight), -Infinity);
  const centroids = Float64Array.from(
    { length: count },
    (_, i) => low + (high - low) * i / (count - 1),
  );
  const nearest = (weight: number) => {
    // Sorted, so by halves.
    let [from, to] = [0, count - 1];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (weight > (centroids[middle]! + centroids[middle + 1]!) / 2) from = middle + 1;
      else to = middle;
    }
    return from;
  };
  for (let round = 0; round < ROUNDS; round++) {
    const [sums, counts] = [new Float64Array(count), new Float64Array(count)];
    for (const weight of kept) {
      const code = nearest(weight);
      sums[code]! += weight;
      counts[code]!++;
    }
    centroids.forEach((_, i) => {
      if (counts[i]! > 0) centroids[i] = sums[i]! / counts[i]!;
    });
    centroids.sort();
  }
  const codes = Uint8Array.from(weights, nearest);
  return {
    weights: weights.map((weight, i) => weight === 0 ? 0 : centroids[codes[i]!]!),
    codes,
    centroids: count,
  };
}

/** Bytes of symbols that are coded each with as many bits as its frequency tells. */
function entropyBytes(symbols: Iterable<number>): number {
  const counts = new Map<number, number>();
  for (const symbol of symbols) counts.set(symbol, (counts.get(symbol) ?? 0) + 1);
  const all = counts.values().reduce((sum, count) => sum + count, 0);
  return counts.values().reduce((sum, count) => sum - count * Math.log2(count / all), 0) / 8;
}

/** All codes, or where that is less those of weights that are not zero and the gaps between them. */
function storedBytes({ weights, codes, centroids }: Shared, longest: number): number {
  const kept: number[] = [];
  const gaps: number[] = [];
  let gap = 0;
  weights.forEach((weight, i) => {
    if (weight !== 0 || gap === longest) {
      kept.push(weight === 0 ? -1 : codes[i]!);
      gaps.push(gap);
      gap = 0;
    } else gap++;
  });
  const zeroOrCode = Array.from(codes, (code, i) => weights[i] === 0 ? -1 : code);
  const sparse = entropyBytes(kept) + entropyBytes(gaps);
  return Math.min(entropyBytes(zeroOrCode), sparse) + 4 * centroids;
}

function shareModel(model: OnnxModel, connectedBits: number): { model: OnnxModel; bytes: number } {
  const replaced = new Map<string, OnnxTensor>();
  let bytes = 0;
  for (const { node, weights } of productsOf(model)) {
    const isConvolution = node.opType === "Conv";
    const shared = share(
      weights.data as Float32Array,
      isConvolution ? CONVOLUTION_BITS : connectedBits,
    );
    bytes += storedBytes(
      shared,
      isConvolution ? LONGEST_GAP.convolution : LONGEST_GAP.connected,
    );
    replaced.set(weights.name, { ...weights, data: shared.weights });
  }
  const rest = model.initializers.filter(({ name }) => !replaced.has(name));
  bytes += wireBytesOf(encodeOnnx({ ...model, initializers: rest })).brotli;
  const initializers = model.initializers.map((tensor) => replaced.get(tensor.name) ?? tensor);
  return { model: { ...model, initializers }, bytes };
}

const [file, data] = Deno.args;
if (file === undefined || data === undefined) {
  console.error("Usage: sharing.ts FILE.onnx DATA");
  Deno.exit(2);
}
const subject = await openSubject(file, null, { name: undefined, version: undefined });
const { side, channels } = subject.preprocess;
const heldOut = labelledImages(await openDataset(data, { side, channels }), {
  ...subject,
  count: 128,
});
const baseline = await measureOriginal(subject, heldOut);
const rows: [string, number, string[]][] = [];
const add = async (name: string, bytes: Uint8Array<ArrayBuffer>, wire?: number) => {
  const form = await measureForm(name, { bytes }, { subject, heldOut, baseline });
  const { top1, top5, fiveShared } = form.agreement;
  const answers = [form.metrics!.top1Error, top1, top5, fiveShared]
    .map((part) => `${digits(100 * part)} %`);
  rows.push([name, wire ?? form.wireBytes.brotli, answers]);
};
const variants = makeVariants(
  variantsOf(subject.model).filter((name) => name.startsWith("int")),
  { ...subject, ...heldOut },
);
for await (const [name, { bytes }] of variants) await add(`${name}, brotli`, bytes);
for (const bits of CONNECTED_BITS) {
  const { model, bytes } = shareModel(gemmToMatMul(subject.model), bits);
  await add(
    `shared ${CONVOLUTION_BITS} and ${bits} bits, entropy`,
    encodeOnnx(model),
    Math.round(bytes),
  );
}
console.log(formatTable({
  head: [`${file}: ${baseline.form.bytes.length} bytes`],
  columns: ["form", "wire bytes", "top-1 error", "same first", "first in five", "five shared"],
  rows: rows.map(([name, bytes, answers]) => [name, String(bytes), ...answers]),
  notes: [],
}));
