import { assertEquals, assertThrows } from "@std/assert";
import { pathToFileURL } from "node:url";
import { openStore } from "./open_store.ts";

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
