import { assert, assertEquals, assertRejects } from "@std/assert";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { testConformance } from "../fixtures/store_conformance.ts";
import { DirectoryStore } from "./directory.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

async function withStore(
  test: (store: DirectoryStore, root: string) => Promise<void>,
): Promise<void> {
  const parent = await Deno.makeTempDir();
  try {
    const root = join(parent, "store");
    await test(new DirectoryStore(root), root);
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}

testConformance(
  "DirectoryStore",
  (test) => withStore((store, root) => test(store, () => new DirectoryStore(root))),
);

/** A test with a store in a temporary folder that does not exist yet. */
function storeTest(name: string, fn: (store: DirectoryStore, root: string) => Promise<void>): void {
  Deno.test(name, () => withStore(fn));
}

storeTest("DirectoryStore's etag is the content's SHA-256", async (store) => {
  const etag = createHash("sha256").update("content").digest("hex");
  assertEquals(await store.put("k", bytes("content")), { etag });
});

storeTest(
  "DirectoryStore takes neither a folder nor a file's child for an object",
  async (store) => {
    await store.put("file", bytes(""));
    await store.put("folder/k", bytes(""));
    for (const key of ["file/below", "folder"]) assertEquals(await store.get(key), null);
  },
);

storeTest("put() leaves no temporary file, won or lost", async (store, root) => {
  await store.put("k", bytes("first"));
  await assertRejects(() => store.put("k", bytes("second"), { ifNoneMatch: "*" }));
  assertEquals([...Deno.readDirSync(join(root, ".tmp"))], []);
});

storeTest("list() shows neither links nor hidden files", async (store, root) => {
  await store.put("k", bytes("x"));
  await Deno.symlink(join(root, "k"), join(root, "link"));
  await Deno.writeTextFile(join(root, ".hidden"), "");
  assertEquals((await Array.fromAsync(store.list(""))).map(({ key }) => key), ["k"]);
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
