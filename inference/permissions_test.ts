import { assert, assertEquals } from "@std/assert";
import { resolve } from "@std/path";
import { ENVIRONMENT, readConfig } from "./config.ts";
import { npmCacheFolder, permissionFlags } from "./permissions.ts";

/** The code of the service, which its workers are started from. */
const SOURCES = [".", "../shared"].map((folder) => resolve(import.meta.dirname!, folder)).join(",");

function flagsFor(...args: string[]): string[] {
  return permissionFlags(readConfig(args, () => undefined), "/cache/npm");
}

Deno.test("permissionFlags() gives read of store and packages, one address, the settings", () => {
  assertEquals(flagsFor("--store", "/srv/models", "--port", "9000"), [
    "--no-prompt",
    `--allow-read=/srv/models,/cache/npm,${SOURCES}`,
    "--allow-net=127.0.0.1:9000",
    "--allow-sys=systemMemoryInfo",
    `--allow-env=${ENVIRONMENT.join(",")},IMAGESCRIPT_WASM_SIMD`,
  ]);
});

Deno.test("permissionFlags() makes a relative store absolute and knows file addresses", () => {
  const read = (store: string) => flagsFor("--store", store)[1];
  assertEquals(read("models"), `--allow-read=${Deno.cwd()}/models,/cache/npm,${SOURCES}`);
  assertEquals(
    read("file:///srv/my%20models"),
    `--allow-read=/srv/my models,/cache/npm,${SOURCES}`,
  );
});

Deno.test("permissionFlags() of a bucket gives its address and variables, no folder", () => {
  const keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
  for (const name of keys) Deno.env.set(name, "x");
  try {
    const [, read, net, , variables] = flagsFor("--store", "s3://pets/a?region=eu-west-1");
    assertEquals(read, `--allow-read=/cache/npm,${SOURCES}`);
    assertEquals(net, "--allow-net=127.0.0.1:8000,pets.s3.eu-west-1.amazonaws.com:443");
    assert(keys.every((name) => variables!.includes(name)));
    const own = flagsFor("--store", "s3://pets?endpoint=http://127.0.0.1:7070")[2];
    assertEquals(own, "--allow-net=127.0.0.1:8000,127.0.0.1:7070");
  } finally {
    for (const name of keys) Deno.env.delete(name);
  }
});

Deno.test("permissionFlags() writes an IPv6 address as Deno reads it", () => {
  assertEquals(flagsFor("--host", "::1")[2], "--allow-net=[::1]:8000");
});

Deno.test("npmCacheFolder() is where this process reads its packages from", async () => {
  const folder = await npmCacheFolder();
  assert((await Deno.stat(folder)).isDirectory, folder);
});
