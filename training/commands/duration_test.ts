import { assertEquals, assertThrows } from "@std/assert";
import { parseDuration } from "./duration.ts";

Deno.test("parseDuration() reads seconds to days, and refuses what has no unit", () => {
  const read = (text: string) => parseDuration("wait", "--for", text);
  assertEquals(["0", "90s", "1.5m", "24h", "7d"].map(read), [
    ...[0, 90_000, 90_000, 86_400_000, 604_800_000],
  ]);
  for (const wrong of ["90", "", "-1s", "1w", "1h30m", "s"]) {
    assertThrows(() => read(wrong), SyntaxError, "Cannot wait: --for is ");
  }
});
