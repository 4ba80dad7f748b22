// The service as Deno Deploy starts it (docs.deno.com/deploy/reference/runtime, read 2026-11): the
// entry of deno.json's "deploy", all permissions, settings by variables, 512 MB, SIGINT at the end;
// and no disk to write on, though Deploy has one. The bucket is a real S3 server.
import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { fixture } from "../../inference/fixtures/colours.ts";
import { publishColours } from "../../inference/fixtures/colours_store.ts";
import { makeApiKey } from "../../inference/middleware/api_keys.ts";
import settings from "../../deno.json" with { type: "json" };
import { TEST_BUCKET } from "../object_store/open_test_bucket.ts";
import { hasS3Server, S3_SECRET, S3_USER, S3Server } from "../object_store/s3_server.ts";
import { openPort, startService } from "./running_service.ts";

const root = fromFileUrl(new URL("../../", import.meta.url));
const confined = fromFileUrl(new URL("confined.sh", import.meta.url));
const { entrypoint, memoryLimit } = settings.deploy.runtime;
// Mounting needs root; containers and CI have it.
const ignore = !hasS3Server || Deno.uid() !== 0;

function confine(...args: string[]): string[] {
  return [confined, String(memoryLimit), Deno.execPath(), ...args];
}

/** What the service needs of the variables of this machine. */
function hostVariables(): Record<string, string> {
  const names = ["PATH", "HOME", "DENO_DIR"];
  return Object.fromEntries(
    names.map((name) => [name, Deno.env.get(name)]).filter(([, value]) => value !== undefined),
  );
}

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
    const credentials = { AWS_ACCESS_KEY_ID: S3_USER, AWS_SECRET_ACCESS_KEY: S3_SECRET };
    await publishTo(store, credentials);
    const { key, sha256 } = makeApiKey();
    const port = openPort();
    const args = [
      ...confine("serve", "--allow-all", "--unstable-cron", "--cached-only"),
      ...["--host", "127.0.0.1", "--port", String(port), root + entrypoint],
    ];
    const env = {
      ...hostVariables(),
      ...credentials,
      TOPFIVE_STORE: store,
      TOPFIVE_API_KEYS: `test:classify:${sha256}`,
      TOPFIVE_DRAIN: "4",
      TOPFIVE_LOG_JSON: "true",
    };
    await using service = await startService("/bin/sh", args, { port, env });
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

Deno.test({
  name: "Deno Deploy's entry refuses to answer everybody unless it is told to",
  ignore,
  async fn() {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["serve", "--allow-all", "--host", "127.0.0.1", "--port", "0", root + entrypoint],
      env: { ...hostVariables(), NO_COLOR: "1", TOPFIVE_STORE: "/nowhere" },
      clearEnv: true,
    }).output();
    assertEquals(code, 1);
    assertStringIncludes(new TextDecoder().decode(stderr), "without API keys");
  },
});

async function publishTo(store: string, credentials: Record<string, string>): Promise<void> {
  for (const [name, value] of Object.entries(credentials)) Deno.env.set(name, value);
  try {
    await publishColours(store);
  } finally {
    for (const name of Object.keys(credentials)) Deno.env.delete(name);
  }
}
