import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { closingLine, readSummary } from "./test_summary.ts";

Deno.test("readSummary() counts what this Deno prints about a run", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = join(folder, "sample_test.ts");
    await Deno.writeTextFile(
      file,
      `Deno.test("passes", () => {});
       Deno.test("steps", async (t) => { await t.step("one", () => {}); });
       Deno.test.ignore("ignored", () => {});
       Deno.test("fails", async (t) => { await t.step("two", () => { throw new Error(); }); });
       console.log("ok | 99 passed | 0 failed");`,
    );
    for (const colour of [{ NO_COLOR: "1" }, { FORCE_COLOR: "1" }]) {
      const args = ["test", "--no-check", "--no-config", file];
      const { stdout } = await new Deno.Command("deno", { args, env: colour }).output();
      const counts = readSummary(new TextDecoder().decode(stdout));
      assertEquals(counts, { passed: 2, failed: 1, ignored: 1 });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("readSummary() returns undefined for a run that never counted", () => {
  assertEquals(readSummary("error: Type checking failed.\n"), undefined);
});

Deno.test("closingLine() names skipped tests only where there are some", () => {
  assertEquals(closingLine({ passed: 3, failed: 0, ignored: 0 }), "3 passed, 0 failed");
  assertEquals(closingLine({ passed: 3, failed: 1, ignored: 2 }), "3 passed, 1 failed, 2 skipped");
});
