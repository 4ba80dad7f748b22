import { STAGE_NAMES } from "../../training/pipeline/stage.ts";
import { hasS3Server } from "../object_store/s3_server.ts";
import { killStages } from "../retrain/kill_stages.ts";
import { Retraining } from "../retrain/retraining.ts";

Deno.test({
  name: "topfive retrain killed in each of its stages ends as if it never was",
  ignore: !hasS3Server,
  async fn() {
    await using retraining = await Retraining.start();
    await killStages(STAGE_NAMES, retraining);
  },
});
