import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { addTuning, readTuning, type TuningEntry, tuningPath } from "./tuning_cache.ts";

const entry = (tile: string): TuningEntry => ({
  tile,
  code: "0123456789abcdef",
  milliseconds: 1.5,
  defaultMilliseconds: 2,
  tunedAt: "2026-01-02T03:04:05.678Z",
});

async function inFolder(body: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(join(folder, "cache", "tuning.json"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("tuningPath() follows the XDG rules, and does without a home", () => {
  const path = (env: Record<string, string>) => tuningPath({ get: (name) => env[name] });
  assertEquals(path({ XDG_CACHE_HOME: "/c", HOME: "/h" }), "/c/topfive/tuning.json");
  assertEquals(path({ XDG_CACHE_HOME: "", HOME: "/h" }), "/h/.cache/topfive/tuning.json");
  assertEquals(path({}), ".topfive/tuning.json");
});

Deno.test("addTuning() makes the file, keeps what is there, and tells adapters apart", async () => {
  await inFolder(async (path) => {
    assertEquals(await readTuning(path, "card"), {});
    await addTuning(path, "card", { a: entry("one"), b: entry("two") });
    await addTuning(path, "card", { b: entry("three") });
    await addTuning(path, "other", { a: entry("four") });
    assertEquals(await readTuning(path, "card"), { a: entry("one"), b: entry("three") });
    assertEquals(await readTuning(path, "other"), { a: entry("four") });
    assertEquals(await readTuning(path, "constructor"), {});
    assertEquals([...Deno.readDirSync(join(path, ".."))].map(({ name }) => name), ["tuning.json"]);
  });
});

Deno.test("readTuning() refuses a damaged file, addTuning() writes it anew", async () => {
  await inFolder(async (path) => {
    await addTuning(path, "card", { a: entry("one") });
    const text = await Deno.readTextFile(path);
    const damages = [
      text.slice(0, 40),
      text.replace("tuning 1", "tuning 9"),
      text.replace("1.5", "-1"),
    ];
    for (const damaged of damages) {
      await Deno.writeTextFile(path, damaged);
      await assertRejects(() => readTuning(path, "card"), SyntaxError, `Cannot read ${path}: `);
      await addTuning(path, "card", { b: entry("two") });
      assertEquals(await readTuning(path, "card"), { b: entry("two") });
    }
  });
});
