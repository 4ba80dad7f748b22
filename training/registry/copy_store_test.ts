import { assertEquals } from "@std/assert";
import { DirectoryStore } from "../../shared/object_store/directory.ts";
import type { ObjectStore } from "../../shared/object_store/object_store.ts";
import { copyStore } from "./copy_store.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const KEYS = [
  "blobs/sha256/ab",
  "incoming/pets/cat/1.jpg",
  "models/pets/aliases/champion.json",
  "models/pets/history/champion/00000001.json",
  "models/pets/versions/v1/manifest.json",
];

async function twoStores() {
  const folders = [await Deno.makeTempDir(), await Deno.makeTempDir()];
  const [from, to] = folders.map((folder) => new DirectoryStore(folder));
  for (const key of KEYS) await from!.put(key, bytes(key));
  return {
    from: from!,
    to: to!,
    async [Symbol.asyncDispose]() {
      for (const folder of folders) await Deno.remove(folder, { recursive: true });
    },
  };
}

async function outcomes(from: ObjectStore, to: ObjectStore) {
  const copied = await Array.fromAsync(copyStore(from, to));
  return copied.map(({ key, outcome }) => `${outcome} ${key}`);
}

Deno.test("copyStore() copies aliases last, and nothing twice", async () => {
  await using stores = await twoStores();
  const { from, to } = stores;
  assertEquals(await outcomes(from, to), [
    "copied blobs/sha256/ab",
    "copied incoming/pets/cat/1.jpg",
    "copied models/pets/history/champion/00000001.json",
    "copied models/pets/versions/v1/manifest.json",
    "copied models/pets/aliases/champion.json",
  ]);
  for (const key of KEYS) assertEquals((await to.get(key))?.bytes, bytes(key));
  assertEquals((await outcomes(from, to)).every((outcome) => outcome.startsWith("there")), true);
});

Deno.test("copyStore() mends what was cut or moved meanwhile, and keeps what only the target has", async () => {
  await using stores = await twoStores();
  const { from, to } = stores;
  await outcomes(from, to);
  await to.put("blobs/sha256/ab", bytes("cut"));
  await to.put("only/here", bytes("x"));
  const moved = "models/pets/aliases/champion.json".split("").reverse().join("");
  await from.put("models/pets/aliases/champion.json", bytes(moved));
  const copied = (await outcomes(from, to)).filter((outcome) => outcome.startsWith("copied"));
  assertEquals(copied, [
    "copied blobs/sha256/ab",
    "copied models/pets/aliases/champion.json",
  ]);
  assertEquals((await to.get("only/here"))?.bytes, bytes("x"));
});
