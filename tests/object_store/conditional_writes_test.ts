import { assertEquals } from "@std/assert";
import { requireConditionalWrites } from "../../training/registry/conditional_writes.ts";
import { openTestBucket, TEST_BUCKET } from "./open_test_bucket.ts";
import { hasS3Server, S3Server } from "./s3_server.ts";

Deno.test({
  name: "requireConditionalWrites() accepts a real server and leaves nothing there",
  ignore: !hasS3Server,
  async fn() {
    await using server = await S3Server.start(TEST_BUCKET);
    const store = openTestBucket(server.endpoint);
    await requireConditionalWrites(store);
    assertEquals(await Array.fromAsync(store.list("")), []);
  },
});
