// A candidate meets the requests of a running service, and is promoted or taken back by itself.
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";

import { emptyStore, publishColours } from "../inference/fixtures/colours_store.ts";
import { flatPictures } from "../inference/fixtures/flat_pictures.ts";
import { DirectoryStore } from "../shared/object_store/directory.ts";
import type { CanarySetting } from "../shared/registry/canary.ts";
import { moveAlias } from "../shared/registry/move_alias.ts";
import { readPointer } from "../shared/registry/pointer.ts";
import { CanaryPolicySchema } from "../training/pipeline/canary/policy.ts";
import { watchCanary, type WatchOptions } from "../training/pipeline/canary/watch_canary.ts";
import { promote } from "../training/registry/champion.ts";
import { readHistory } from "../training/registry/history.ts";
import { TopfiveProcess } from "./topfive_process.ts";

const WHO = { by: "a test", reason: "it needs a champion" };
// The models are so small that their times say nothing.
const POLICY = CanaryPolicySchema.parse({
  ...{ minCompared: 25, pollSeconds: 0.1, timeLimitSeconds: 60, maxLatencyRatio: 100 },
});

/** Asks without end until stopped; every answer must be a good one. Gives the versions that answered. */
function client(origin: string, colour: "red" | "blue") {
  const stop = new AbortController();
  const done = (async () => {
    const answered = new Map<string, number>();
    for (const picture of flatPictures(4000, colour)) {
      if (stop.signal.aborted) break;
      const response = await fetch(new URL("/v1/classify?top=1", origin), {
        method: "POST",
        body: picture,
      });
      const body = await response.json();
      assertEquals(response.status, 200, JSON.stringify(body));
      answered.set(body.version, (answered.get(body.version) ?? 0) + 1);
      // Room for the comparison in the background.
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return answered;
  })();
  return {
    async stop() {
      stop.abort();
      return await done;
    },
  };
}

Deno.test("a canary is promoted or taken back by itself, and no request fails meanwhile", async (t) => {
  await using folder = await emptyStore();
  const store = new DirectoryStore(folder.folder);
  await publishColours(folder.folder, { version: "v1" });
  await promote(store, "colours", "v1", WHO);
  const labels = ["blue", "red", "white", "green"];
  await publishColours(folder.folder, { version: "v2" });
  await publishColours(folder.folder, { version: "v3", labels });
  await publishColours(folder.folder, { version: "v4" }, "colours_failing.onnx");
  await using service = new TopfiveProcess(".", [
    ...["serve", "--store", folder.folder, "--model", "colours", "--port", "0", "--poll", "1"],
  ]);
  const [, origin] = await service.printed("stdout", /serves colours v1 at (http:\/\/\S+)/);
  const watch = (version: string, setting: CanarySetting, more: Partial<WatchOptions> = {}) =>
    watchCanary({
      ...{ store, name: "colours", version, setting, policy: POLICY, by: "a runner" },
      ...{ services: [{ url: origin! }], ...more },
    });
  const champion = async () => (await readPointer(store, "colours", "champion"))!.version;

  await t.step("one that agrees is promoted, and the service follows", async () => {
    const clients = client(origin!, "red");
    const outcome = await watch("v2", { mode: "share", share: 0.5 });
    assert(outcome.promoted, outcome.reason);
    assertMatch(outcome.reason, /^agrees on 100.0 % of \d+ images; 0 of \d+ failed/);
    await service.printed("stdout", /canary_ended model=colours version=v2/);
    const answered = await clients.stop();
    assert(answered.get("v1")! > 5 && answered.get("v2")! > 5, JSON.stringify([...answered]));
    const [last] = await readHistory(store, "colours", "champion");
    assertEquals([last!.version, last!.from, last!.by], ["v2", "v1", "a runner"]);
    assertStringIncludes(last!.reason, "canary passed: agrees on 100.0 %");
    assertEquals((await readPointer(store, "colours", "previous"))?.version, "v1");
  });

  await t.step("one that answers otherwise is taken back; nobody saw its answers", async () => {
    const clients = client(origin!, "red");
    const outcome = await watch("v3", { mode: "shadow" });
    assertEquals(outcome.promoted, false);
    assertMatch(outcome.reason, /it agrees with the champion on 0.0 % of \d+ images/);
    assertEquals([...(await clients.stop()).keys()], ["v2"]);
    assertEquals(await champion(), "v2");
    const candidate = (await readPointer(store, "colours", "candidate"))!;
    assertEquals([candidate.version, candidate.canary], ["v3", undefined]);
    assertStringIncludes(candidate.reason, "canary taken back: it agrees");
  });

  await t.step(
    "one that fails on images is taken back, and the champion answered them",
    async () => {
      const clients = client(origin!, "blue");
      const outcome = await watch("v4", { mode: "share", share: 0.5 });
      assertEquals(outcome.promoted, false);
      assertMatch(outcome.reason, /^it failed on \d+ of \d+ images, 1.0 % allowed$/);
      assertEquals([...(await clients.stop()).keys()], ["v2"]);
      assertEquals(await champion(), "v2");
    },
  );

  await t.step(
    "a watch that was broken off goes on; who stops the canary ends the watch",
    async () => {
      await publishColours(folder.folder, { version: "v5" });
      const policy = { ...POLICY, minCompared: 1e6 };
      const broken = watch("v5", { mode: "shadow" }, { policy, signal: AbortSignal.timeout(300) });
      await assertRejects(() => broken, DOMException, "timeout");
      const begun = (await readPointer(store, "colours", "candidate"))!;
      const looking = Promise.withResolvers<string>();
      const again = watch("v5", { mode: "shadow" }, { policy, onProgress: looking.resolve });
      assertEquals(await looking.promise, "0 of 1000000 images compared");
      await moveAlias(store, "colours", "candidate", {
        ...{ version: "v5", by: "ann", reason: "not on a Friday", afterMove: begun.move },
      });
      const { promoted, reason } = await again;
      assertEquals(promoted, false);
      assertEquals(reason, "candidate was moved to v5 meanwhile (by ann: not on a Friday)");
      assertEquals(await champion(), "v2");
    },
  );

  await t.step("without enough requests it is taken back when time is up", async () => {
    const policy = { ...POLICY, timeLimitSeconds: 0.5 };
    const { promoted, reason } = await watch("v5", { mode: "shadow" }, { policy });
    assertEquals(promoted, false);
    assertStringIncludes(reason, "time is up with 0 of 25 images compared");
  });

  service.signal("SIGTERM");
  assertEquals((await service.finished()).code, 0);
});

Deno.test("watchCanary() needs a champion to compare with", async () => {
  await using folder = await emptyStore();
  const store = new DirectoryStore(folder.folder);
  await publishColours(folder.folder, { version: "v1" });
  const begin = () =>
    watchCanary({
      ...{ store, name: "colours", version: "v1", setting: { mode: "shadow" } },
      ...{ services: [], policy: POLICY, by: "a runner" },
    });
  await assertRejects(begin, RangeError, "there is no champion to compare with");
  await promote(store, "colours", "v1", WHO);
  await assertRejects(begin, RangeError, "v1 is the champion already");
});
