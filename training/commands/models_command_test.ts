import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { readPointer } from "../../shared/registry/pointer.ts";
import { captured } from "../fixtures/captured.ts";
import { withPets } from "../fixtures/published.ts";
import { modelsCommand } from "./models_command.ts";

const run = (...args: string[]) => captured(() => modelsCommand(args));

Deno.test("modelsCommand() lists its commands, and guesses at a wrong one", async () => {
  const help = await run("--help");
  assertEquals(help.code, 0);
  for (
    const name of [
      ...["list", "show", "diff", "promote", "rollback", "canary", "alias", "verify", "gc", "sign"],
    ]
  ) {
    assertMatch(help.stdout, new RegExp(`^  ${name} +\\S`, "m"));
    const own = await run(name, "--help");
    assertEquals(own.code, 0);
    assertStringIncludes(own.stdout, `Usage: topfive models ${name}`);
  }
  const wrong = await run("rolback");
  assertEquals(wrong.code, 2);
  assertStringIncludes(wrong.stderr, "did you mean rollback?");
});

Deno.test("modelsCommand() promotes, rolls back and shows what happened", async () => {
  await withPets(["v1", "v2"], async (_, store) => {
    const models = async (...args: string[]) => {
      const { code, stdout, stderr } = await run(...args, "--store", store);
      assertEquals(code, 0, stderr);
      return stdout;
    };
    const promoted = await models("promote", "pets", "v1", "--reason", "first", "--by", "ann");
    assertEquals(promoted, "champion of pets: nothing → v1");
    assertEquals(await models("promote", "pets", "v2"), "champion of pets: v1 → v2");
    assertEquals(await models("rollback", "pets"), "champion of pets: v2 → v1");
    assertEquals(await models("alias", "pets", "staging", "v2"), "staging of pets: nothing → v2");

    assertMatch(
      await models("list"),
      /^pets\n {2}v2 .* latest, previous, staging\n {2}v1 .* champion$/,
    );
    assertMatch(
      await models("history", "pets"),
      /v2 → v1 .*\n.*v1 → v2 .*\n.*nothing → v1 {2}ann: first$/,
    );
    assertMatch(
      await models("show", "pets"),
      /^pets v1\n[^]*Accuracy on 100 images of test\n +top-1 error +10.00 %/,
    );
    const difference = (await models("diff", "pets", "v1", "v2", "--json")).split("\n");
    const fields = difference.map((line) => JSON.parse(line).field);
    assertEquals(
      fields,
      ["version", "createdAt", "weights.sha256", "weights.byteLength", "weights.key"]
        .filter((field) => fields.includes(field)),
    );
    assertMatch(await models("verify"), /\d+ checks, all good$/);
    assertMatch(await models("gc", "--dry-run", "--older-than", "0"), /^would remove 0 objects/);
  });
});

Deno.test("modelsCommand() sets and stops a canary, with both in the history", async () => {
  await withPets(["v1", "v2"], async (store, folder) => {
    const models = async (...args: string[]) => {
      const { code, stdout, stderr } = await run(...args, "--store", folder);
      assertEquals(code, 0, stderr);
      return stdout;
    };
    assertEquals(
      await models("canary", "pets", "--share", "0.1", "--version", "v2"),
      "candidate of pets: v2, 10 % of the images go to it",
    );
    const set = await readPointer(store, "pets", "candidate");
    assertEquals(set?.canary, { mode: "share", share: 0.1 });
    await models("canary", "pets", "--shadow");
    assertEquals((await readPointer(store, "pets", "candidate"))?.canary, { mode: "shadow" });
    await models("canary", "pets", "--stop", "--reason", "users complained", "--by", "ann");
    assertEquals((await readPointer(store, "pets", "candidate"))?.canary, undefined);
    assertMatch(
      await models("history", "pets", "candidate"),
      /v2 → v2 {2}ann: users complained\n.*canary begins\n.*nothing → v2 .*canary begins$/,
    );
  });
});

Deno.test("modelsCommand() makes a key and signs with it", async () => {
  await withPets(["v1"], async (_, store) => {
    const path = join(store, "..", `${crypto.randomUUID()}.pem`);
    try {
      const key = await run("key", path);
      assertEquals((await run("key", path)).stdout, key.stdout);
      assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
      assertEquals((await run("sign", "pets", "v1", "--key", path, "--store", store)).code, 0);
      const verified = await run("verify", "--store", store, "--trust", key.stdout);
      assertMatch(verified.stdout, /✓ signature of pets v1/);
    } finally {
      await Deno.remove(path);
    }
  });
});

Deno.test("modelsCommand() says what is wrong", async () => {
  await withPets(["v1"], async (_, store) => {
    const cases: [number, string[], string][] = [
      [2, ["list"], "--store is missing"],
      [2, ["promote", "pets", "--store", store], "expected NAME VERSION, got 1 words"],
      [2, ["promote", "pets", "v1", "--to", "v1", "--store", store], "unknown option --to"],
      [1, ["promote", "pets", "v7", "--store", store], "version v7 is not published"],
      [1, ["rollback", "pets", "--store", store], "no version of it was ever promoted"],
      [1, ["show", "pets", "v7", "--store", store], "Cannot find pets v7 (expected v1)"],
      [1, ["show", "cars", "v1", "--store", store], "models: pets"],
      [1, ["list", "cars", "--store", store], "no cars is published"],
      [2, ["canary", "pets", "--store", store], "expected one of --share S, --shadow and --stop"],
      [2, ["canary", "pets", "--share", "1", "--store", store], "a number between 0 and 1"],
      [2, ["canary", "pets", "--stop", "--watch", "http://x", "--store", store], "nothing to"],
      [1, ["canary", "pets", "--shadow", "--store", store], "pets has no candidate"],
      [2, ["gc", "--keep-moves", "few", "--store", store], "expected a whole number"],
    ];
    for (const [expected, args, message] of cases) {
      const { code, stderr } = await run(...args);
      assertEquals(code, expected, stderr);
      assertStringIncludes(stderr, message);
    }
  });
});
