import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { exampleManifest } from "../../shared/fixtures/example_manifest.ts";
import { publishModel, readManifest } from "../../shared/model_registry.ts";
import { readVerifyingKey } from "../../shared/registry/signature.ts";
import { DECISION, withPets } from "../fixtures/published.ts";
import { promote } from "./champion.ts";
import { makeSigningKey, readSigningKey, signVersion } from "./sign.ts";
import { verifyModel } from "./verify.ts";

async function problems(...args: Parameters<typeof verifyModel>): Promise<string[]> {
  const findings = await Array.fromAsync(verifyModel(...args));
  return findings.flatMap(({ what, problem }) =>
    problem === undefined ? [] : [`${what}: ${problem}`]
  );
}

Deno.test("verifyModel() finds altered weights, altered manifests, lost versions and lost moves", async () => {
  await withPets(["v1", "v2"], async (store, folder) => {
    await promote(store, "pets", "v1", DECISION);
    await promote(store, "pets", "v2", DECISION);
    assertEquals(await problems(store, "pets"), []);

    const { weights } = (await readManifest(store, "pets", "v1"))!;
    await Deno.writeTextFile(`${folder}/${weights.key}`, "weights of v9");
    await Deno.remove(`${folder}/models/pets/history/champion/00000001.json`);
    const manifest = `${folder}/models/pets/versions/v2/manifest.json`;
    await Deno.writeTextFile(manifest, (await Deno.readTextFile(manifest)).replace("cat", "cow"));
    const found = (await problems(store, "pets")).join("\n");
    assertMatch(found, /weights of pets v1: .* has SHA-256/);
    assertMatch(found, /history of champion of pets: move 1 is missing/);
    assertMatch(found, /alias latest of pets: .* its manifest was changed after publishing/);
    assertMatch(found, /alias champion of pets: .* its manifest was changed after publishing/);
  });
});

Deno.test("verifyModel() reads the weights of variants too", async () => {
  await withPets([], async (store, folder) => {
    const { schemaVersion: _schema, weights: _weights, ...manifest } = exampleManifest();
    const { variants } = await publishModel(store, {
      weights: new Uint8Array([1]),
      manifest,
      variants: [{ weights: new Uint8Array([2]), description: { name: "int8" } }],
    }, DECISION);
    assertEquals(await problems(store, "pets"), []);
    await Deno.writeFile(`${folder}/${variants![0]!.weights.key}`, new Uint8Array([3]));
    assertMatch((await problems(store, "pets")).join(), /int8 weights of pets .* has SHA-256/);
  });
});

Deno.test("a signed version is trusted by its key alone, and only unaltered", async () => {
  await withPets(["v1", "v2"], async (store, folder) => {
    const signing = await readSigningKey(await makeSigningKey());
    const trusted = await readVerifyingKey(signing.publicKey);
    const other = await readVerifyingKey((await readSigningKey(await makeSigningKey())).publicKey);
    const read = (version: string, ...trustedKeys: (typeof trusted)[]) =>
      readManifest(store, "pets", version, { trustedKeys });

    await assertRejects(() => read("v1", trusted), Error, "nobody signed it");
    await signVersion(store, "pets", "v1", signing);
    assertEquals((await read("v1", other, trusted))?.version, "v1");
    await assertRejects(() => read("v1", other), Error, `signed by ${signing.keyId}, not validly`);
    await assertRejects(() => signVersion(store, "pets", "v9", signing), RangeError);
    assertEquals(await problems(store, "pets", [trusted]), []);

    const folderOf = (version: string) => `${folder}/models/pets/versions/${version}`;
    await Deno.mkdir(`${folderOf("v2")}/signatures`);
    const signature = `signatures/${signing.keyId}.json`;
    await Deno.copyFile(`${folderOf("v1")}/${signature}`, `${folderOf("v2")}/${signature}`);
    await assertRejects(() => read("v2", trusted), Error, "not validly by a trusted key");
    assertEquals((await problems(store, "pets", [trusted])).length, 1);
  });
});

Deno.test("readSigningKey() takes what OpenSSL writes and refuses what is no key", async () => {
  // openssl genpkey -algorithm ed25519; its public half by: openssl pkey -pubout, the last 32 bytes.
  const pem = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----`;
  // RFC 8032 section 7.1, test 1.
  assertEquals(
    (await readSigningKey(pem)).publicKey,
    "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
  );
  await assertRejects(() => readSigningKey("nothing"), SyntaxError, "no Ed25519 private key");
  await assertRejects(() => readVerifyingKey("AAAA"), SyntaxError, "not 32 bytes of Ed25519");
});
