import { createHash } from "node:crypto";
import type { UnpublishedModel } from "../../../shared/model_registry.ts";
import { PreconditionFailedError } from "../../../shared/object_store/object_store.ts";
import { blobKey } from "../../../shared/registry/weights.ts";
import { describeModel, encodeRun } from "../../run_export.ts";
import { resultKey } from "../keys.ts";
import type { Stage, StageContext } from "../stage.ts";
import { loadTrained } from "./train.ts";

export interface ExportOutput {
  readonly sha256: string;
  readonly byteLength: number;
  /** Key of the manifest as it will be published, but for what the gate decides. */
  readonly manifest: string;
}

/** Another processor's rounding moves a probability by less than a hundredth of this. */
const SELF_TEST_TOLERANCE = 0.01;

/** Writes the candidate as ONNX into the store, where nothing points to it yet, and its manifest. */
export const exportModel: Stage<"export"> = {
  name: "export",
  inputs: ({ result, settings: { card } }) => ({
    trained: result("train"),
    evaluated: result("evaluate"),
    card,
  }),
  async run(context) {
    const { store, model, run: { record: { run, createdAt } }, settings, images, result } = context;
    const { scores, byClass, selfTest } = result("evaluate");
    const loaded = await loadTrained(context);
    const chunks = encodeRun(loaded);
    const weights = await new Blob(chunks as Uint8Array<ArrayBuffer>[]).bytes();
    const sha256 = createHash("sha256").update(weights).digest("hex");
    try {
      await store.put(blobKey(sha256), weights, { ifNoneMatch: "*" });
    } catch (error) {
      if (!(error instanceof PreconditionFailedError)) throw error;
    }
    await images.require(selfTest.key, selfTest.sha256);
    const image = await Deno.readFile(images.pathOf(selfTest.sha256));
    const { top1Interval, top5Interval, ...rest } = scores;
    const metrics: UnpublishedModel["manifest"]["metrics"] = {
      split: "test",
      ...rest,
      top1Interval: [...top1Interval],
      top5Interval: [...top5Interval],
      ...byClass,
    };
    const manifest: UnpublishedModel["manifest"] = {
      ...describeModel(loaded, metrics, {
        ...{ name: model, version: run, createdAt },
        card: settings.card ?? undefined,
      }),
      selfTest: {
        image: image.toBase64(),
        top: selfTest.top.map(({ index, probability }) => ({ index, probability })),
        tolerance: SELF_TEST_TOLERANCE,
      },
    };
    const key = resultKey(model, run, "manifest.json");
    await store.put(key, new TextEncoder().encode(JSON.stringify(manifest) + "\n"));
    return { sha256, byteLength: weights.length, manifest: key };
  },
  describe: ({ byteLength, sha256 }) =>
    `${(byteLength / 1e6).toFixed(1)} MB of ONNX, sha256 ${sha256.slice(0, 12)}`,
};

/** The candidate as it will be published, but for what the gate decides. */
export async function readExported(
  { store, result }: Pick<StageContext, "store" | "result">,
): Promise<UnpublishedModel> {
  const { manifest: key, sha256 } = result("export");
  const [weights, manifest] = await Promise.all([store.get(blobKey(sha256)), store.get(key)]);
  if (weights === null || manifest === null) {
    throw new Error(`Cannot read ${key} or its weights: they are missing from the store`);
  }
  // Registering it checks it against the manifest's schema.
  const text = new TextDecoder().decode(manifest.bytes);
  return { weights: weights.bytes, manifest: JSON.parse(text) };
}
