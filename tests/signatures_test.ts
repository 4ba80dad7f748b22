// A service that asks for signatures answers with signed versions alone, and goes on meanwhile.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { fixture } from "../inference/fixtures/colours.ts";
import { emptyStore, publishColours } from "../inference/fixtures/colours_store.ts";
import { DirectoryStore } from "../shared/object_store/directory.ts";
import { manifestKey } from "../shared/registry/keys.ts";
import { promote } from "../training/registry/champion.ts";
import { makeSigningKey, readSigningKey, signVersion } from "../training/registry/sign.ts";
import { TopfiveProcess } from "./topfive_process.ts";

const WHO = { by: "a test", reason: "it needs a champion" };

Deno.test("topfive serve --require-signature serves what a trusted key signed, and says what it refused", async (t) => {
  await using folder = await emptyStore();
  const store = new DirectoryStore(folder.folder);
  const keys = await Promise.all(
    [1, 2, 3].map(async () => await readSigningKey(await makeSigningKey())),
  );
  const [old, next, stranger] = keys.map((key) => key!);
  const publish = async (version: string, key?: typeof old) => {
    await publishColours(folder.folder, { version });
    if (key) await signVersion(store, "colours", version, key);
  };
  const sign = (version: string, key: typeof old) => signVersion(store, "colours", version, key!);
  const trusted = join(folder.folder, "..", `${crypto.randomUUID()}.keys`);
  await Deno.writeTextFile(trusted, `${old!.publicKey}  # until March\n${next!.publicKey}\n`);
  const serve = () =>
    new TopfiveProcess(".", [
      ...["serve", "--store", folder.folder, "--model", "colours", "--port", "0", "--poll", "1"],
      ...["--require-signature", trusted],
    ]);

  try {
    await t.step("an unsigned first version keeps it from starting", async () => {
      await publish("v1");
      const { code, stderr } = await serve().finished();
      assertEquals(code, 1);
      assertStringIncludes(
        stderr,
        "Cannot trust colours v1: nobody signed it (topfive models sign",
      );
    });

    await sign("v1", old!);
    await using service = serve();
    const [, origin] = await service.printed("stdout", /serves colours v1 at (http:\/\/\S+)/);
    const answers = async () => {
      const body = await fixture("red.png");
      const response = await fetch(new URL("/v1/classify", origin), { method: "POST", body });
      assertEquals(response.status, 200);
      return (await response.json()).version;
    };
    const stateOf = async (version: string) => {
      const response = await fetch(new URL("/v2/repository/index", origin), { method: "POST" });
      const states: { version: string; state: string; reason: string }[] = await response.json();
      return states.find((entry) => entry.version === version);
    };

    await t.step("an unsigned or strangely signed version is refused, by name", async () => {
      await publish("v2");
      await service.printed("stdout", /refused .*version=v2 .*nobody signed it/);
      assertEquals(await answers(), "v1");
      const refused = (await stateOf("v2"))!;
      assertEquals(refused.state, "UNAVAILABLE");
      assertStringIncludes(refused.reason, "Cannot trust colours v2: nobody signed it");
      await publish("v3", stranger);
      await service.printed("stdout", /refused .*version=v3 .*not validly by a trusted key/);
      assertEquals(await answers(), "v1");
      assertMatch((await stateOf("v3"))!.reason, /it is signed by [0-9a-f]{16}, not validly/);
    });

    await t.step("one that is signed afterwards is taken, by the next key too", async () => {
      await sign("v3", next!);
      await service.printed("stdout", /loaded model=colours version=v3/);
      while (await answers() !== "v3") await new Promise((resolve) => setTimeout(resolve, 50));
    });

    await t.step("a manifest that was changed after signing is refused", async () => {
      await promote(store, "colours", "v3", WHO);
      await publish("v4", old);
      const path = join(folder.folder, manifestKey("colours", "v4"));
      const text = await Deno.readTextFile(path);
      await Deno.writeTextFile(path, text.replace('"red"', '"RED"'));
      await promote(store, "colours", "v4", WHO);
      await service.printed("stdout", /refused .*version=v4 .*not validly by a trusted key/);
      assertEquals(await answers(), "v3");
    });

    service.signal("SIGTERM");
    assertEquals((await service.finished()).code, 0);
  } finally {
    await Deno.remove(trusted);
  }
});
