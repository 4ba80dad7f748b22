// The drill of infra/RUNBOOK.md: a bucket is gone; it is restored from its copy, verified, and answers.
import { assertEquals, assertMatch } from "@std/assert";
import { coloursManifest, fixture } from "../../inference/fixtures/colours.ts";
import { publishColours } from "../../inference/fixtures/colours_store.ts";
import { publishModel } from "../../shared/model_registry.ts";
import { readWeights } from "../../shared/registry/weights.ts";
import { verifyModel } from "../../training/registry/verify.ts";
import { hasS3Server, S3_SECRET, S3_USER, S3Server } from "../object_store/s3_server.ts";
import { topfive, TopfiveProcess } from "../topfive_process.ts";
import { S3WithUsers } from "./s3_with_users.ts";

const CREDENTIALS = { AWS_ACCESS_KEY_ID: S3_USER, AWS_SECRET_ACCESS_KEY: S3_SECRET };

Deno.test({
  name: "a lost bucket is restored from its copy, verified, and the service answers from it",
  ignore: !hasS3Server,
  async fn() {
    const backup = await Deno.makeTempDir({ prefix: "topfive-backup-" });
    for (const [name, value] of Object.entries(CREDENTIALS)) Deno.env.set(name, value);
    try {
      const promoted = await loseBucket(backup);
      await using server = await S3Server.start("restored");
      const store = `s3://restored?endpoint=${server.endpoint}`;
      await topfive(".", "models", "copy", "--store", backup, "--to", store);
      const verified = await topfive(".", "models", "verify", "--store", store);
      assertMatch(verified.stdout, /all good/);

      await using service = new TopfiveProcess(".", ["serve", "--store", store, "--port", "0"]);
      const [, version, origin] = await service.printed(
        "stdout",
        /serves colours (\S+) at (http:\/\/\S+)/,
      );
      assertEquals(version, promoted);
      const body = await fixture("red.png");
      const answer = await fetch(new URL("/v1/classify", origin), { method: "POST", body });
      assertEquals((await answer.json()).predictions[0].label, "red");
      service.signal("SIGTERM");
      assertEquals((await service.finished()).code, 0);

      const history = await topfive(".", "models", "history", "colours", "--store", store);
      assertMatch(history.stdout, /month 2/);
    } finally {
      for (const name of Object.keys(CREDENTIALS)) Deno.env.delete(name);
      await Deno.remove(backup, { recursive: true });
    }
  },
});

Deno.test({
  name:
    "what was deleted from a bucket with versions comes back when the delete markers are removed",
  ignore: !hasS3Server,
  async fn() {
    await using server = await S3WithUsers.start("some-models");
    const body = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    assertEquals((await server.request("PUT", "?versioning", { body })).status, 200);
    const store = server.store();
    const weights = await fixture("colours.onnx");
    const who = { by: "a test", reason: "to be lost" };
    const manifest = await publishModel(store, { weights, manifest: coloursManifest() }, who);
    const keys = await Array.fromAsync(store.list(""), ({ key }) => key);
    for (const key of keys) await store.delete(key);
    assertEquals(await Array.fromAsync(store.list("")), []);

    const { text } = await server.request("GET", "?versions");
    const markers = [...text.matchAll(/<DeleteMarker>(.*?)<\/DeleteMarker>/gs)];
    assertEquals(markers.length, keys.length);
    for (const [, marker] of markers) {
      const [key, version] = ["Key", "VersionId"].map((name) =>
        new RegExp(`<${name}>(.*?)</${name}>`).exec(marker!)![1]
      );
      const { status } = await server.request("DELETE", `/${key}?versionId=${version}`);
      assertEquals(status, 204);
    }
    assertEquals(await Array.fromAsync(store.list(""), ({ key }) => key), keys);
    assertEquals(await readWeights(store, manifest), weights);
    const findings = await Array.fromAsync(verifyModel(store, "colours"));
    assertEquals(findings.filter(({ problem }) => problem !== undefined), []);
  },
});

/** A bucket with a promoted model and its copy in a folder; then the bucket goes. */
async function loseBucket(backup: string): Promise<string> {
  await using server = await S3Server.start("models");
  const store = `s3://models?endpoint=${server.endpoint}`;
  await publishColours(store, { version: "v1" });
  await publishColours(store, { version: "v2" });
  const promote = (version: string, reason: string) =>
    topfive(
      ...[
        ".",
        "models",
        "promote",
        "colours",
        version,
        "--store",
        store,
        "--reason",
        reason,
      ] as const,
    );
  await promote("v1", "month 1");
  await promote("v2", "month 2");
  await topfive(".", "models", "copy", "--store", store, "--to", backup);
  return "v2";
}
