/**
 * Speed and peak memory of writing and reading AlexNet's 60,965,224 weights as ONNX.
 *
 *   deno run --allow-all training/onnx/onnx_bench.ts
 *
 * Each way runs in a process of its own, because a process's peak only ever rises. Peaks contain the
 * runtime (about 40 MB) and the weights or the file themselves (244 MB).
 */
import process from "node:process";
import { ONNX_OPSET, type OnnxModel } from "../../shared/onnx/onnx_node.ts";
import { decodeOnnx } from "../../shared/onnx/read.ts";
import { encodeOnnx, encodeOnnxChunks } from "./write.ts";

const SHAPES: Record<string, number[]> = {
  conv1: [96, 3, 11, 11],
  conv2: [256, 48, 5, 5],
  conv3: [384, 256, 3, 3],
  conv4: [384, 192, 3, 3],
  conv5: [256, 192, 3, 3],
  fc6: [4096, 9216],
  fc7: [4096, 4096],
  fc8: [1000, 4096],
};

/** A valid model that carries the weights and passes its input on. */
function alexnetWeights(): OnnxModel {
  const tensor = (name: string, dims: number[]) => {
    const data = new Float32Array(dims.reduce((product, size) => product * size, 1));
    for (let i = 0; i < data.length; i++) data[i] = i; // touches every page
    return { name, dims, data };
  };
  return {
    graphName: "alexnet_weights",
    inputs: [{ name: "x", shape: [1] }],
    outputs: [{ name: "y", shape: [1] }],
    nodes: [{ opType: "Identity", name: "y", inputs: ["x"], outputs: ["y"], attributes: {} }],
    initializers: Object.entries(SHAPES).flatMap(([layer, dims]) => [
      tensor(`${layer}.weight`, dims),
      tensor(`${layer}.bias`, dims.slice(0, 1)),
    ]),
    opset: ONNX_OPSET,
    producerName: "topfive",
    producerVersion: "",
    metadata: {},
    docString: "",
  };
}

/** Writes everything, however little a single write takes. */
function writeAll(path: string, chunks: Uint8Array[]): void {
  using file = Deno.openSync(path, { write: true, truncate: true });
  for (const chunk of chunks) {
    for (let done = 0; done < chunk.byteLength;) done += file.writeSync(chunk.subarray(done));
  }
}

/** Reads into one array of the right size: Deno.readFileSync() peaks at twice the file. */
function readAll(path: string): Uint8Array {
  using file = Deno.openSync(path);
  const bytes = new Uint8Array(file.statSync().size);
  for (let done = 0; done < bytes.byteLength;) {
    const count = file.readSync(bytes.subarray(done));
    if (count === null) throw new RangeError(`Cannot read ${path}: it shrank while being read`);
    done += count;
  }
  return bytes;
}

/** What is timed; the weights or the file are in memory before. */
const WAYS: Record<string, (path: string) => () => unknown> = {
  "weights alone": () => {
    const model = alexnetWeights();
    return () => model;
  },
  "encodeOnnxChunks": () => {
    const model = alexnetWeights();
    return () => encodeOnnxChunks(model);
  },
  "encodeOnnxChunks to a file": (path) => {
    const model = alexnetWeights();
    return () => writeAll(path, encodeOnnxChunks(model));
  },
  "encodeOnnx": () => {
    const model = alexnetWeights();
    return () => encodeOnnx(model);
  },
  "file alone": (path) => {
    const file = readAll(path);
    return () => file;
  },
  "decodeOnnx": (path) => {
    const file = readAll(path);
    return () => decodeOnnx(file);
  },
};

/** Prints a line; returns the result, so that it is alive when the peak is read. */
function measure(way: string, path: string): unknown {
  const work = WAYS[way]!(path);
  const start = performance.now();
  const result = work();
  const ms = performance.now() - start;
  const peak = process.resourceUsage().maxRSS * 1024 / 1e6;
  const rate = way.endsWith("alone") ? "" : `${(243.861 / ms * 1000).toFixed(0)} MB/s`;
  console.log(
    `${way.padEnd(28)}${ms.toFixed(1).padStart(8)} ms ${rate.padStart(12)}` +
      `  peak ${peak.toFixed(0).padStart(5)} MB`,
  );
  return result;
}

const [way, path] = Deno.args;
if (way && path) measure(way, path);
else {
  const file = await Deno.makeTempFile({ suffix: ".onnx" });
  try {
    for (const name of Object.keys(WAYS)) {
      const args = ["run", "--allow-all", new URL(import.meta.url).pathname, name, file];
      const { success } = await new Deno.Command(Deno.execPath(), { args, stdout: "inherit" })
        .spawn()
        .status;
      if (!success) throw new Error(`Cannot measure ${name}: its process failed`);
    }
  } finally {
    await Deno.remove(file);
  }
}
