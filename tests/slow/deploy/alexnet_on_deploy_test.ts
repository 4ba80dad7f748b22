// Full-size AlexNet where Deno Deploy would run it: in 512 MB the service takes the int8 form by itself.
import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { publishForBench } from "../../bench/serve/models.ts";
import { canConfine, startOnDeploy, withCredentials } from "../../deploy/deno_deploy.ts";
import { TEST_BUCKET } from "../../object_store/open_test_bucket.ts";
import { hasS3Server, S3Server } from "../../object_store/s3_server.ts";
import { topfive } from "../../topfive_process.ts";

const PHOTOS = fromFileUrl(
  new URL("../../../../shared/data/imagenet-samples/original", import.meta.url),
);
const photographs = await Array.fromAsync(Deno.readDir(PHOTOS), ({ name }) => join(PHOTOS, name))
  .catch(() => []);

Deno.test({
  name: "AlexNet answers photographs in Deno Deploy's 512 MB, from a bucket " +
    "(needs the shared photographs and root)",
  ignore: !hasS3Server || !canConfine || photographs.length === 0,
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "topfive-edge-" });
    try {
      const { store } = await publishForBench("alexnet", folder);
      const compress = ["compress", "alexnet", "--for", "edge", "--forms", "int8"];
      // Random weights answer at random: what they lose says nothing.
      const free = ["--max-loss", "100", "--no-cost"];
      await topfive(".", ...compress, ...free, "--images", PHOTOS, "--store", store);
      await using server = await S3Server.start(TEST_BUCKET);
      const bucket = `s3://${TEST_BUCKET}?endpoint=${server.endpoint}`;
      await withCredentials(() => topfive(".", "models", "copy", "--store", store, "--to", bucket));

      await using service = await startOnDeploy({
        TOPFIVE_STORE: bucket,
        TOPFIVE_OPEN: "true",
      });
      for (const photograph of photographs) {
        const body = await Deno.readFile(photograph);
        const answer = await fetch(`${service.url}/v1/classify`, { method: "POST", body });
        const { variant, predictions } = await answer.json();
        assertEquals([answer.status, variant, predictions?.length], [200, "int8", 5]);
      }
      assertEquals((await service.stop("SIGINT")).code, 0);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
