// In three of the ten stages; tests/slow has all of them.
import { hasS3Server } from "../object_store/s3_server.ts";
import { killStages } from "./kill_stages.ts";
import { Retraining } from "./retraining.ts";

Deno.test({
  name: "topfive retrain killed on one machine after the other ends as if it never was",
  ignore: !hasS3Server,
  async fn() {
    await using retraining = await Retraining.start();
    await killStages(["validate", "train", "publish"], retraining);
  },
});
