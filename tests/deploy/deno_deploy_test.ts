// The service as Deno Deploy starts it, against a real S3 server.
import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { fixture } from "../../inference/fixtures/colours.ts";
import { publishColours } from "../../inference/fixtures/colours_store.ts";
import { makeApiKey } from "../../inference/middleware/api_keys.ts";
import { TEST_BUCKET } from "../object_store/open_test_bucket.ts";
import { hasS3Server, S3_SECRET, S3Server } from "../object_store/s3_server.ts";
import {
  canConfine,
  confine,
  ENTRY,
  hostVariables,
  startOnDeploy,
  withCredentials,
} from "./deno_deploy.ts";

const ignore = !hasS3Server || !canConfine;

async function runConfined(script: string) {
  const { code, stderr } = await new Deno.Command("/bin/sh", {
    args: confine("eval", "--no-config", script),
    env: { NO_COLOR: "1" },
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

Deno.test({
  name: "the confinement of the tests ends what takes more memory, and lets nothing be written",
  ignore,
  async fn() {
    const hungry = await runConfined(
      "const kept = []; for (;;) kept.push(new Uint8Array(1e7).fill(1));",
    );
    assert(hungry.code > 128, `ended with ${hungry.code}`);
    const writing = await runConfined('Deno.writeTextFileSync("/tmp/topfive-test", "x")');
    assertEquals(writing.code, 1);
    assertStringIncludes(writing.stderr, "Read-only file system");
  },
});

Deno.test({
  name:
    "Deno Deploy's entry classifies from a bucket in 512 MB, without a disk, and ends on SIGINT",
  ignore,
  async fn() {
    await using server = await S3Server.start(TEST_BUCKET);
    const store = `s3://${TEST_BUCKET}/edge?endpoint=${server.endpoint}`;
    await withCredentials(() => publishColours(store));
    const { key, sha256 } = makeApiKey();
    await using service = await startOnDeploy({
      TOPFIVE_STORE: store,
      TOPFIVE_API_KEYS: `test:classify:${sha256}`,
    });
    const image = await fixture("red.png");
    const anonymous = await fetch(`${service.url}/v1/classify`, { method: "POST", body: image });
    assertEquals(anonymous.status, 401);
    await anonymous.body?.cancel();
    assertEquals(await service.classify(image, { "X-API-Key": key }), "red");

    const asked = performance.now();
    const { code, output } = await service.stop("SIGINT");
    assertEquals(code, 0, output);
    assertLess(performance.now() - asked, 5_000);
    assertEquals(output.includes(key) || output.includes(S3_SECRET), false);
  },
});

Deno.test("Deno Deploy's entry refuses to answer everybody unless it is told to", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["serve", "--allow-all", "--host", "127.0.0.1", "--port", "0", ENTRY],
    env: { ...hostVariables(), NO_COLOR: "1", TOPFIVE_STORE: "/nowhere" },
    clearEnv: true,
  }).output();
  assertEquals(code, 1);
  assertStringIncludes(new TextDecoder().decode(stderr), "without API keys");
});
