import { assertEquals, assertThrows } from "@std/assert";
import { relocate } from "./bundle.ts";

const resolve = (specifier: string) => `file:///cache/${specifier}`;

Deno.test("relocate() turns a worker's address into the script's own, with its name as query", () => {
  const { script } = relocate(
    'new Worker(new URL("../workers/run_worker.ts",import.meta.url))',
    ["run_worker"],
    resolve,
  );
  assertEquals(script, 'new Worker(new URL("?worker=run_worker",import.meta.url))');
  assertEquals(new URL("?worker=run_worker", "file:///srv/topfive.js").pathname, "/srv/topfive.js");
});

Deno.test("relocate() puts a package's file beside the script", () => {
  const { script, assets } = relocate('import.meta.resolve("@a/b/c.wasm")', [], resolve);
  assertEquals(script, 'new URL("c.wasm",import.meta.url).href');
  assertEquals(assets, [{ name: "c.wasm", source: new URL("file:///cache/@a/b/c.wasm") }]);
});

Deno.test("relocate() refuses what would be missing where the bundle runs", () => {
  assertThrows(
    () => relocate('new URL("./new_worker.ts", import.meta.url)', ["run_worker"], resolve),
    Error,
    "add it to infra/bundle/entry.ts",
  );
  assertThrows(
    () => relocate("import.meta.resolve(`a/${name}`)", [], resolve),
    Error,
    "must be named by a literal",
  );
});
