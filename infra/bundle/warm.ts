/**
 * Starts a bundle once, where it will lie, so that V8's compiled code is kept beside it: a start then
 * takes 270 ms to AlexNet's first answer in place of 500, and 20 MB less (2026-11-28). The cache holds
 * for this path, this Deno and these flags of V8, and may be read-only.
 * @module
 */
import { join, resolve } from "node:path";
import { testPicture } from "../../inference/import/test_picture.ts";
import { SMALL_YOUNG_GENERATION } from "../../inference/permissions.ts";
import { servedAddress } from "../../inference/trial/service_process.ts";
import { publishModel } from "../../shared/model_registry.ts";
import { openStore } from "../../shared/object_store/open_store.ts";
import { encodeOnnx } from "../../training/onnx/write.ts";

/** The folder in the bundle's that is to be DENO_DIR. */
export const CACHE = "cache";

const STARTUP_MS = 60_000;

/** @throws {Error} when the service does not answer, or ends otherwise than it is told to. */
export async function warmBundle(folder: string): Promise<void> {
  const store = await Deno.makeTempDir({ prefix: "topfive-warm-" });
  try {
    await publishMeans(store);
    const child = new Deno.Command("deno", {
      args: [
        ...["run", "--no-prompt", "--no-config", "--no-remote", "--no-npm"],
        ...["--unstable-no-legacy-abort", SMALL_YOUNG_GENERATION],
        ...["--allow-read", "--allow-net=127.0.0.1", "--allow-env", "--allow-sys"],
        ...[join(resolve(folder), "topfive.js"), "--store", store, "--port", "0", "--poll", "0"],
      ],
      env: { DENO_DIR: join(resolve(folder), CACHE), DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const timer = setTimeout(() => child.kill("SIGKILL"), STARTUP_MS);
    const address = await servedAddress(child.stdout);
    const answered = address !== null && await classifies(address);
    // What V8 compiled is written while the service ends.
    if (address !== null) child.kill("SIGTERM");
    const { success, code } = await child.status;
    clearTimeout(timer);
    if (answered && success) return;
    throw new Error(
      `Cannot warm the bundle in ${folder}: the service ${
        answered ? "answered" : "did not answer"
      } and ended with code ${code} (start it by hand to see why)`,
    );
  } finally {
    await Deno.remove(store, { recursive: true });
  }
}

async function classifies(address: string): Promise<boolean> {
  const request = fetch(`${address}v1/classify`, { method: "POST", body: testPicture() });
  const answer = await request.catch(() => undefined);
  await answer?.body?.cancel();
  return answer?.ok ?? false;
}

/** The smallest network that the service takes: the mean of each colour. */
async function publishMeans(folder: string): Promise<void> {
  const input = { name: "image", shape: ["N", 3, 8, 8] };
  const weights = encodeOnnx({
    graphName: "means",
    inputs: [input],
    outputs: [{ name: "means", shape: ["N", 3] }],
    nodes: [
      node("GlobalAveragePool", "image", "pooled"),
      { ...node("Flatten", "pooled", "means"), attributes: { axis: { int: 1 } } },
    ],
    initializers: [],
    opset: 17,
    producerName: "topfive",
    producerVersion: "",
    metadata: {},
    docString: "",
  });
  const manifest = {
    name: "means",
    version: "1",
    createdAt: new Date(0).toISOString(),
    input: { name: "image", shape: [-1, 3, 8, 8] as [number, number, number, number] },
    output: { name: "means", classes: 3, activation: "softmax" as const },
    preprocess: { side: 8, crop: 8, channels: 3 as const, mean: [0, 0, 0], std: [255, 255, 255] },
    labels: ["red", "green", "blue"],
    provenance: {
      codeVersion: "0",
      model: "means",
      config: {},
      seed: 0,
      adapter: "none",
      dataFingerprint: "none",
    },
  };
  const who = { by: "topfive bundle", reason: "a first start" };
  await publishModel(openStore(folder), { weights, manifest }, who);
}

function node(opType: string, from: string, to: string) {
  return { opType, name: to, inputs: [from], outputs: [to], attributes: {} };
}
