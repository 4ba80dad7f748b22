import { assert, assertEquals } from "@std/assert";
import { ENVIRONMENT, readConfig } from "./config.ts";
import { npmCacheFolder, permissionFlags } from "./permissions.ts";

function flagsFor(...args: string[]): string[] {
  return permissionFlags(readConfig(args, () => undefined), "/cache/npm");
}

Deno.test("permissionFlags() gives read of store and packages, one address, the settings", () => {
  assertEquals(flagsFor("--store", "/srv/models", "--port", "9000"), [
    "--no-prompt",
    "--allow-read=/srv/models,/cache/npm",
    "--allow-net=127.0.0.1:9000",
    `--allow-env=${ENVIRONMENT.join(",")},IMAGESCRIPT_WASM_SIMD`,
  ]);
});

Deno.test("permissionFlags() makes a relative store absolute and knows file addresses", () => {
  const read = (store: string) => flagsFor("--store", store)[1];
  assertEquals(read("models"), `--allow-read=${Deno.cwd()}/models,/cache/npm`);
  assertEquals(read("file:///srv/my%20models"), "--allow-read=/srv/my models,/cache/npm");
});

Deno.test("permissionFlags() writes an IPv6 address as Deno reads it", () => {
  assertEquals(flagsFor("--host", "::1")[2], "--allow-net=[::1]:8000");
});

Deno.test("npmCacheFolder() is where this process reads its packages from", async () => {
  const folder = await npmCacheFolder();
  assert((await Deno.stat(folder)).isDirectory, folder);
});
