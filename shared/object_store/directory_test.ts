import { assert, assertEquals, assertRejects } from "@std/assert";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { DirectoryStore } from "./directory.ts";
import { type ObjectInfo, PreconditionFailedError } from "./object_store.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** A test with a store in a temporary folder that does not exist yet. */
function storeTest(name: string, fn: (store: DirectoryStore, root: string) => Promise<void>): void {
  Deno.test(name, async () => {
    const parent = await Deno.makeTempDir();
    try {
      const root = join(parent, "store");
      await fn(new DirectoryStore(root), root);
    } finally {
      await Deno.remove(parent, { recursive: true });
    }
  });
}

async function keysOf(objects: AsyncIterable<ObjectInfo>): Promise<string[]> {
  return (await Array.fromAsync(objects)).map(({ key }) => key);
}

storeTest("DirectoryStore gives back what was put, by every way of reading", async (store) => {
  const content = crypto.getRandomValues(new Uint8Array(60_000));
  const etag = createHash("sha256").update(content).digest("hex");
  assertEquals(await store.put("a/b/c.bin", content), { etag });
  assertEquals(await store.get("a/b/c.bin"), { bytes: content, etag });
  const head = await store.head("a/b/c.bin");
  assertEquals([head?.key, head?.byteLength, head?.etag], ["a/b/c.bin", 60_000, etag]);
  const streamed = (await store.getStream("a/b/c.bin"))!;
  assertEquals(streamed.byteLength, 60_000);
  assertEquals(await new Response(streamed.stream).bytes(), content);
});

storeTest("DirectoryStore answers null for what is not there", async (store, root) => {
  for (const stage of ["no folder", "a folder"]) {
    for (const key of ["none", "a", "a/b", "x/y/z"]) {
      assertEquals(await store.get(key), null, `${stage} ${key}`);
      assertEquals(await store.getStream(key), null);
      assertEquals(await store.head(key), null);
      await store.delete(key);
    }
    assertEquals(await keysOf(store.list("")), []);
    await Deno.mkdir(join(root, "a"), { recursive: true });
  }
  await store.put("file", bytes(""));
  assertEquals(await store.get("file/below"), null);
});

storeTest(
  "put() replaces, delete() removes, and no temporary file remains",
  async (store, root) => {
    await store.put("k", bytes("first"));
    await store.put("k", bytes("second"));
    assertEquals((await store.get("k"))?.bytes, bytes("second"));
    await store.delete("k");
    assertEquals(await store.get("k"), null);
    assertEquals([...Deno.readDirSync(join(root, ".tmp"))], []);
  },
);

storeTest("put() with ifNoneMatch never replaces", async (store, root) => {
  await store.put("k", bytes("first"), { ifNoneMatch: "*" });
  await assertRejects(
    () => store.put("k", bytes("second"), { ifNoneMatch: "*" }),
    PreconditionFailedError,
    "Cannot put k: it exists already",
  );
  assertEquals((await store.get("k"))?.bytes, bytes("first"));
  assertEquals([...Deno.readDirSync(join(root, ".tmp"))], []);
});

storeTest("put() with ifMatch replaces only what it read", async (store) => {
  const none = createHash("sha256").update("").digest("hex");
  const stale = { ifMatch: none };
  await assertRejects(() => store.put("k", bytes("x"), stale), PreconditionFailedError);
  const { etag } = await store.put("k", bytes("first"));
  await store.put("k", bytes("second"), { ifMatch: etag });
  await assertRejects(
    () => store.put("k", bytes("third"), { ifMatch: etag }),
    PreconditionFailedError,
  );
  assertEquals((await store.get("k"))?.bytes, bytes("second"));
});

storeTest(
  "list() gives keys below a prefix in their order, and nothing else",
  async (store, root) => {
    const keys = ["a", "a-b/x", "a/1", "a/2/z", "a/20", "ab", "b/c"];
    for (const key of keys.toReversed()) await store.put(key.replace(/^a$/, "a0"), bytes(key));
    const stored = keys.map((key) => key.replace(/^a$/, "a0")).sort();
    await Deno.symlink(join(root, "ab"), join(root, "link"));
    await Deno.writeTextFile(join(root, ".hidden"), "");
    assertEquals(await keysOf(store.list("")), stored);
    assertEquals(await keysOf(store.list("a/")), ["a/1", "a/2/z", "a/20"]);
    assertEquals(await keysOf(store.list("a/2")), ["a/2/z", "a/20"]);
    assertEquals(await keysOf(store.list("a")), stored.filter((key) => key.startsWith("a")));
    assertEquals(await keysOf(store.list("c/d")), []);
    assertEquals((await Array.fromAsync(store.list("a/1")))[0]?.byteLength, 3);
  },
);

storeTest("DirectoryStore refuses keys that leave the folder or hide in it", async (store) => {
  const wrong = ["", "/a", "a/", "a//b", "..", "../a", "a/../b", "a/./b", ".lock", ".tmp/x"];
  for (const key of [...wrong, "a\\b", "a\0b", "a b", "é", "a\n", "x".repeat(201)]) {
    await assertRejects(() => store.get(key), RangeError, "Cannot use key", key);
    await assertRejects(() => store.put(key, bytes("x")), RangeError, "Cannot use key", key);
    await assertRejects(() => store.delete(key), RangeError, "Cannot use key", key);
  }
  await assertRejects(() => keysOf(store.list("../")), RangeError, "Cannot use key");
});

storeTest("DirectoryStore follows no symbolic link", async (store, root) => {
  await store.put("kept", bytes("x"));
  const outside = join(root, "..", "outside");
  await Deno.mkdir(outside);
  await Deno.writeTextFile(join(outside, "secret"), "secret");
  await Deno.symlink(outside, join(root, "folder"));
  await Deno.symlink(join(outside, "secret"), join(root, "file"));
  for (const key of ["folder/secret", "file"]) {
    assertEquals(await store.get(key), null);
    assertEquals(await store.head(key), null);
    await store.delete(key);
  }
  await assertRejects(() => store.put("folder/new", bytes("x")), Error, "is not a folder");
  await store.put("file", bytes("own"));
  assertEquals([...Deno.readDirSync(outside)].map(({ name }) => name), ["secret"]);
  assertEquals(await Deno.readTextFile(join(outside, "secret")), "secret");
});

storeTest("put() in many processes at once lets exactly one create a key", async (store, root) => {
  await store.put("warm", bytes("x"));
  const code = `
    import { DirectoryStore } from ${JSON.stringify(import.meta.resolve("./directory.ts"))};
    const store = new DirectoryStore(Deno.args[0]);
    let wins = 0;
    for (let round = 0; round < 20; round++) {
      const content = new TextEncoder().encode(Deno.args[1]);
      await store.put("race/" + round, content, { ifNoneMatch: "*" }).then(() => wins++, (error) => {
        if (error.name !== "PreconditionFailedError") throw error;
      });
      // A counter that only compare-and-swap keeps right.
      while (true) {
        const now = await store.get("counter");
        const count = now === null ? 0 : Number(new TextDecoder().decode(now.bytes));
        const options = now === null ? { ifNoneMatch: "*" } : { ifMatch: now.etag };
        const next = new TextEncoder().encode(String(count + 1));
        if (await store.put("counter", next, options).then(() => true, () => false)) break;
      }
    }
    console.log(wins);`;
  const outputs = await Promise.all(
    Array.from({ length: 3 }, (_, index) =>
      new Deno.Command(Deno.execPath(), {
        args: ["eval", code, root, String(index)],
      }).output()),
  );
  let wins = 0;
  for (const { stdout, stderr, success } of outputs) {
    assert(success, new TextDecoder().decode(stderr));
    wins += Number(new TextDecoder().decode(stdout));
  }
  assertEquals(wins, 20);
  assertEquals((await store.get("counter"))?.bytes, bytes("60"));
});

storeTest("put() sweeps temporary files that a dead process left", async (store, root) => {
  const folder = join(root, ".tmp");
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(join(folder, "old"), "x");
  await Deno.writeTextFile(join(folder, "young"), "x");
  const longAgo = Date.now() / 1000 - 25 * 3600;
  await Deno.utime(join(folder, "old"), longAgo, longAgo);
  await store.put("k", bytes("x"));
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["young"]);
});

storeTest(
  "put() killed at any moment leaves a whole object and a usable store",
  async (store, root) => {
    const size = 300_000;
    const code = `
    import { DirectoryStore } from ${JSON.stringify(import.meta.resolve("./directory.ts"))};
    const store = new DirectoryStore(Deno.args[0]);
    for (let round = 0;; round++) {
      await store.put("k", new Uint8Array(${size}).fill(round));
      if (round === 0) console.log("ready");
    }`;
    for (let round = 0; round < 4; round++) {
      const writer = new Deno.Command(Deno.execPath(), {
        args: ["eval", code, root],
        stdout: "piped",
      }).spawn();
      const output = writer.stdout.getReader();
      await output.read();
      await new Promise((resolve) => setTimeout(resolve, 7 * round));
      writer.kill("SIGKILL");
      await writer.status;
      await output.cancel();
      const found = (await store.get("k"))!.bytes;
      assertEquals(found, new Uint8Array(size).fill(found[0]!));
      await store.put("k", bytes("mine"));
      assertEquals((await store.get("k"))?.bytes, bytes("mine"));
    }
  },
);
