import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { readTrustedKeys, trustedKeyFiles } from "./trusted_keys.ts";

// RFC 8032, section 7.1, tests 1 and 2.
const FIRST = Uint8Array.fromHex(
  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
).toBase64();
const SECOND = Uint8Array.fromHex(
  "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
).toBase64();

Deno.test("readTrustedKeys() takes keys and files of keys, and nothing for none", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = join(folder, "trusted");
    await Deno.writeTextFile(file, `# the old one\n${FIRST}\n\n${SECOND} # from March on\n`);
    const ids = async (setting: string) =>
      (await readTrustedKeys(setting))?.map(({ keyId }) => keyId);
    const [first, second] = (await ids(`${FIRST}, ${SECOND}`))!;
    assertEquals(await ids(file), [first, second]);
    assertEquals(await ids(`${SECOND},${file}`), [second, first, second]);
    assertEquals(await ids(""), undefined);
    assertEquals(trustedKeyFiles(`${SECOND}, ${file}`), [file]);

    const empty = join(folder, "empty");
    await Deno.writeTextFile(empty, "# none yet\n");
    await assertRejects(() => readTrustedKeys(empty), SyntaxError, "has none (one a line)");
    await Deno.writeTextFile(empty, "0 1\n");
    await assertRejects(() => readTrustedKeys(empty), SyntaxError, "not 32 bytes of Ed25519");
    const missing = () => readTrustedKeys("no/such/file");
    await assertRejects(missing, SyntaxError, '"no/such/file" is neither a key nor a file');
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
