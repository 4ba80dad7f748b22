import { assertEquals, assertThrows } from "@std/assert";
import { pathToFileURL } from "node:url";
import { addressBelow, openStore } from "./open_store.ts";

Deno.test("openStore() opens one folder by its path and by its address", async () => {
  const root = await Deno.makeTempDir({ prefix: "store with spaces " });
  try {
    await openStore(root).put("k", new Uint8Array([7]));
    assertEquals((await openStore(pathToFileURL(root).href).get("k"))?.bytes, new Uint8Array([7]));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("openStore() refuses other kinds of address", () => {
  assertThrows(() => openStore("gs://bucket/x"), RangeError, "gs:// is not supported");
  assertThrows(() => openStore("s3://Bucket_/x"), SyntaxError, "is no name of a bucket");
  assertThrows(() => openStore("https://host/x"), RangeError, "https:// is not supported");
  assertThrows(() => openStore(""), RangeError, "it is empty");
});

Deno.test("addressBelow() is a store of its own within a folder or a bucket", async () => {
  assertEquals(addressBelow("s3://pets", "incoming"), "s3://pets/incoming");
  assertEquals(
    addressBelow("s3://pets/a/?endpoint=http://127.0.0.1:7070&region=x", "incoming"),
    "s3://pets/a/incoming?endpoint=http://127.0.0.1:7070&region=x",
  );
  assertThrows(() => addressBelow("gs://bucket", "incoming"), RangeError, "is not supported");
  const root = await Deno.makeTempDir();
  try {
    await openStore(addressBelow(root, "incoming")).put("a/b", new Uint8Array([7]));
    assertEquals((await openStore(root).get("incoming/a/b"))?.bytes, new Uint8Array([7]));
    const keys = await Array.fromAsync(openStore(root).list(""), ({ key }) => key);
    assertEquals(keys, ["incoming/a/b"]);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
