// The registry in a bucket of a real S3 server, with the commands and a running service.
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { fixture } from "../../inference/fixtures/colours.ts";
import { publishColours } from "../../inference/fixtures/colours_store.ts";
import { PreconditionFailedError } from "../../shared/object_store/object_store.ts";
import { readPointer } from "../../shared/registry/pointer.ts";
import { promote } from "../../training/registry/champion.ts";
import { findGarbage } from "../../training/registry/collect_garbage.ts";
import { readHistory } from "../../training/registry/history.ts";
import { verifyModel } from "../../training/registry/verify.ts";
import { publishPets } from "../../training/fixtures/published.ts";
import { TopfiveProcess } from "../topfive_process.ts";
import { startForgetfulProxy } from "./forgetful_proxy.ts";
import { openTestBucket, TEST_BUCKET } from "./open_test_bucket.ts";
import { hasS3Server, S3_SECRET, S3_USER, S3Server } from "./s3_server.ts";

const ignore = !hasS3Server;
const WHO = { by: "a test", reason: "it wants to know" };
const DAY = 86_400_000;

/** Runs with the test's keys in the environment, as the commands find them. */
async function withKeys(test: () => Promise<void>): Promise<void> {
  const keys = { AWS_ACCESS_KEY_ID: S3_USER, AWS_SECRET_ACCESS_KEY: S3_SECRET };
  for (const [name, value] of Object.entries(keys)) Deno.env.set(name, value);
  try {
    await test();
  } finally {
    for (const name of Object.keys(keys)) Deno.env.delete(name);
  }
}

Deno.test({
  name: "of two promotions over one champion exactly one wins, and the other is told by whom",
  ignore,
  async fn() {
    await using server = await S3Server.start(TEST_BUCKET);
    const stores = [openTestBucket(server.endpoint), openTestBucket(server.endpoint)];
    const [store] = stores;
    const versions = Array.from({ length: 6 }, (_, i) => `v${i + 1}`);
    for (const version of versions) await publishPets(store!, version);
    await promote(store!, "pets", "v1", WHO);
    let champion = "v1";
    for (const pair of [["v2", "v3"], ["v4", "v5"], ["v6", "v2"]]) {
      const outcomes = await Promise.allSettled(
        pair.map((version, i) =>
          promote(stores[i]!, "pets", version, { by: `runner ${i}`, reason: "mine is better" }, {
            from: champion,
          })
        ),
      );
      const winners = outcomes.filter(({ status }) => status === "fulfilled");
      assertEquals(winners.length, 1, JSON.stringify(outcomes));
      const loser = outcomes.find((outcome) => outcome.status === "rejected")!;
      assert(loser.reason instanceof PreconditionFailedError);
      assertMatch(loser.reason.message, /it names v\d, not v\d \(moved by runner \d; look again\)/);
      champion = (await readPointer(store!, "pets", "champion"))!.version;
    }
    const history = await readHistory(store!, "pets", "champion");
    assertEquals(history.map(({ move }) => move), [4, 3, 2, 1]);
    history.forEach(({ from }, i) => assertEquals(from, history[i + 1]?.version ?? null));
    for await (const { what, problem } of verifyModel(store!, "pets")) {
      assertEquals(problem, undefined, what);
    }
  },
});

Deno.test({
  name: "gc removes no history and nothing that the last moves reach, after many moves",
  ignore,
  async fn() {
    await using server = await S3Server.start(TEST_BUCKET);
    const store = openTestBucket(server.endpoint);
    const versions = Array.from({ length: 9 }, (_, i) => `v${i + 1}`);
    for (const version of versions) await publishPets(store, version);
    for (const version of [...versions, "v1"]) await promote(store, "pets", version, WHO);
    const before = await readHistory(store, "pets", "champion");
    const garbage = await findGarbage(store, {
      ...{ keepMoves: 3, olderThanMs: DAY, now: Date.now() + 2 * DAY },
    });
    // Champion v1, its last three moves v1, v9, v8; previous v9, its last three v9, v8, v7; latest v9.
    const removed = garbage.map(({ key }) => key).filter((key) => key.endsWith("manifest.json"));
    assertEquals(
      removed,
      ["v2", "v3", "v4", "v5", "v6"].map((version) =>
        `models/pets/versions/${version}/manifest.json`
      ),
    );
    for (const { key } of garbage) await store.delete(key);
    assertEquals(await readHistory(store, "pets", "champion"), before);
    for await (const { what, problem } of verifyModel(store, "pets")) {
      assertEquals(problem, undefined, what);
    }
  },
});

Deno.test({
  name: "a rollback is one command, and a running service answers with the version before",
  ignore,
  async fn() {
    await using server = await S3Server.start(TEST_BUCKET);
    const store = `s3://${TEST_BUCKET}/team?endpoint=${server.endpoint}`;
    await withKeys(async () => {
      for (const version of ["v1", "v2"]) await publishColours(store, { version });
      const models = async (...args: string[]) => {
        const finished = await new TopfiveProcess(".", ["models", ...args, "--store", store])
          .finished();
        assertEquals(finished.code, 0, finished.stderr);
        return finished.stdout;
      };
      await models("promote", "colours", "v1", "--by", "ann");
      await models("promote", "colours", "v2", "--by", "ann");
      await using service = new TopfiveProcess(".", [
        ...["serve", "--store", store, "--model", "colours", "--port", "0", "--poll", "1"],
      ]);
      const [, origin] = await service.printed("stdout", /serves colours v2 at (http:\/\/\S+)/);
      const body = await fixture("red.png");
      const answers = async () => {
        const response = await fetch(new URL("/v1/classify", origin), { method: "POST", body });
        assertEquals(response.status, 200);
        return (await response.json()).version;
      };
      assertEquals(await answers(), "v2");
      await models("rollback", "colours", "--by", "ann", "--reason", "confuses red and blue");
      const deadline = Date.now() + 10_000;
      while (await answers() !== "v1") assert(Date.now() < deadline, "no rollback within 10 s");
      const history = await models("history", "colours");
      assertMatch(history, /^\S+ \S+ {2}v2 → v1 {2}ann: confuses red and blue\n/);
      assertEquals(history.trim().split("\n").length, 3);
      service.signal("SIGTERM");
      assertEquals((await service.finished()).code, 0);
    });
  },
});

Deno.test({
  name: "a store that ignores conditions is refused for promotion, and nothing is moved",
  ignore,
  async fn() {
    await using server = await S3Server.start(TEST_BUCKET);
    await using proxy = startForgetfulProxy(server.endpoint);
    const direct = openTestBucket(server.endpoint);
    await publishPets(direct, "v1");
    const forgetful = openTestBucket(proxy.endpoint);
    assertEquals((await readPointer(forgetful, "pets", "latest"))?.version, "v1", "it can be read");
    await assertRejects(() => promote(forgetful, "pets", "v1", WHO), Error, "does not keep If-");
    await withKeys(async () => {
      const store = `s3://${TEST_BUCKET}?endpoint=${proxy.endpoint}`;
      const args = ["models", "promote", "pets", "v1", "--store", store];
      const { code, stderr } = await new TopfiveProcess(".", args).finished();
      assertEquals(code, 1);
      assertMatch(stderr, /it does not keep If-None-Match, so two writers could overwrite each/);
      assertMatch(stderr, /use one with conditional writes: Amazon S3, R2, MinIO, versitygw/);
    });
    assertEquals(await readPointer(direct, "pets", "champion"), null);
  },
});
