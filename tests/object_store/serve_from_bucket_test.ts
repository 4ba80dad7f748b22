// A model is published to a real S3 server and served from it, with the permissions of the script.
import { assertEquals, assertMatch } from "@std/assert";
import { fixture } from "../../inference/fixtures/colours.ts";
import { publishColours } from "../../inference/fixtures/colours_store.ts";
import { openStore } from "../../shared/object_store/open_store.ts";
import { TopfiveProcess } from "../topfive_process.ts";
import { TEST_BUCKET } from "./open_test_bucket.ts";
import { hasS3Server, S3_SECRET, S3_USER, S3Server } from "./s3_server.ts";

const serve = (store: string) =>
  new TopfiveProcess(".", ["serve", "--store", store, "--model", "colours", "--port", "0"]);

Deno.test({
  name: "topfive serve --weights-cache starts from its disk when the bucket has lost the weights",
  ignore: !hasS3Server,
  async fn() {
    await using server = await S3Server.start(TEST_BUCKET);
    const cache = await Deno.makeTempDir();
    const store = `s3://${TEST_BUCKET}/team?endpoint=${server.endpoint}`;
    const keys = { AWS_ACCESS_KEY_ID: S3_USER, AWS_SECRET_ACCESS_KEY: S3_SECRET };
    for (const [name, value] of Object.entries(keys)) Deno.env.set(name, value);
    const start = async () => {
      await using service = new TopfiveProcess(".", [
        ...["serve", "--store", store, "--model", "colours", "--port", "0"],
        ...["--weights-cache", `${cache}/weights`],
      ]);
      await service.printed("stdout", /serves colours/);
    };
    try {
      const { weights } = await publishColours(store);
      await start();
      await openStore(store).delete(weights.key);
      await start();
    } finally {
      for (const name of Object.keys(keys)) Deno.env.delete(name);
      await Deno.remove(cache, { recursive: true });
    }
  },
});

Deno.test({
  name: "topfive serve answers from a bucket, and says what is wrong with one",
  ignore: !hasS3Server,
  async fn() {
    await using server = await S3Server.start(TEST_BUCKET);
    const store = `s3://${TEST_BUCKET}/team?endpoint=${server.endpoint}`;
    const keys = { AWS_ACCESS_KEY_ID: S3_USER, AWS_SECRET_ACCESS_KEY: S3_SECRET };
    {
      const { code, stderr } = await serve(store).finished();
      assertEquals(code, 1);
      assertMatch(stderr, /there are no credentials \(set AWS_ACCESS_KEY_ID/);
    }
    for (const [name, value] of Object.entries(keys)) Deno.env.set(name, value);
    try {
      await publishColours(store);
      await using service = serve(store);
      const [, origin] = await service.printed("stdout", /serves colours \S+ at (http:\/\/\S+)/);
      const body = await fixture("red.png");
      const answer = await fetch(new URL("/v1/classify", origin), { method: "POST", body });
      const found = await answer.json();
      assertEquals(found.predictions?.[0].label, "red", JSON.stringify(found));
      service.signal("SIGTERM");
      assertEquals((await service.finished()).code, 0);

      const { code, stderr } = await serve(store.replace(TEST_BUCKET, "missing")).finished();
      assertEquals(code, 1);
      assertMatch(stderr, /create the bucket or correct its name/);
    } finally {
      for (const name of Object.keys(keys)) Deno.env.delete(name);
    }
  },
});
