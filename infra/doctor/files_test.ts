import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { inspectFolder, inspectPackages, packageFolder } from "./files.ts";

Deno.test("packageFolder() names the cache's folder of plain, scoped and peer-bound packages", () => {
  assertEquals(packageFolder("zod@4.6.7"), "zod/4.6.7");
  assertEquals(packageFolder("@hono/zod-openapi@1.6.0_hono@4.13.0"), "@hono/zod-openapi/1.6.0");
});

Deno.test("inspectPackages() names the packages that the cache lacks", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const lock = join(folder, "deno.lock");
    await Deno.writeTextFile(lock, JSON.stringify({ npm: { "a@1.0.0": {}, "@b/c@2.0.0": {} } }));
    await Deno.mkdir(join(folder, "npm/registry.example/a/1.0.0"), { recursive: true });

    const lacking = inspectPackages(lock, join(folder, "npm"));
    assertEquals(lacking.status, "missing");
    assertMatch(lacking.value, /^1 of 2 not in .*: @b\/c\/2\.0\.0$/);

    await Deno.mkdir(join(folder, "npm/mirror.example/@b/c/2.0.0"), { recursive: true });
    assertEquals(inspectPackages(lock, join(folder, "npm")).status, "ok");
    assertEquals(inspectPackages(lock, join(folder, "none")).status, "missing");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("inspectFolder() judges a folder that is still to be made by its parent", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const [writable, disk] = inspectFolder("store", join(folder, "not/yet/there"));
    assertEquals(writable?.status, "ok");
    assertStringIncludes(disk?.value ?? "", `under ${folder}`);
    assertEquals([...Deno.readDirSync(folder)], []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
