// The months of tests/retrain with photographs and a small AlexNet: about three minutes on two cores.
import { join, resolve } from "@std/path";
import { hasS3Server } from "../object_store/s3_server.ts";
import { liveThrough } from "../retrain/four_months.ts";
import { Retraining } from "../retrain/retraining.ts";

const FLOWERS = resolve(import.meta.dirname!, "../../../shared/data/flowers5-224/train");
const hasFlowers = await Deno.stat(FLOWERS).then(() => true, () => false);

const SETTINGS = {
  training: { model: "alexnet-small", epochs: 12, batchSize: 16, warmupSteps: 20 },
  images: { testShare: 0.25 },
  gate: {
    ...{ minTestImages: 40, maxTop1Error: 0.6, maxTop5Error: 1, newClassMaxTop1Error: 0.7 },
    ...{ top1Margin: 0.3, maxClassFall: 0.6 },
  },
};

Deno.test({
  name: "four months of retraining on photographs of flowers",
  ignore: !hasS3Server || !hasFlowers,
  async fn() {
    await using retraining = await Retraining.start();
    await liveThrough({
      old: ["daisy", "sunflowers", "tulips"],
      added: ["dandelion", "roses"],
      filesOf: (name) =>
        [...Deno.readDirSync(join(FLOWERS, name))].map((entry) => join(FLOWERS, name, entry.name))
          .sort(),
      counts: { month1: 100, old: 100, added: 200, month3: 200 },
      settings: SETTINGS,
      later: { ...SETTINGS, gate: { ...SETTINGS.gate, top1Margin: 0.02, maxClassFall: 0.1 } },
    }, retraining);
  },
});
