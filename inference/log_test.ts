import { assertEquals } from "@std/assert";
import { createLog } from "./log.ts";

const at = new Date("2026-11-24T02:00:00.000Z");

function linesOf(json: boolean, use: (log: ReturnType<typeof createLog>) => void): string[] {
  const lines: string[] = [];
  use(createLog({ json, write: (line) => lines.push(line), now: () => at }));
  return lines;
}

Deno.test("createLog() writes one JSON object a line", () => {
  const lines = linesOf(true, (log) => log.info("request", { status: 200, path: "/" }));
  assertEquals(lines.map((line) => JSON.parse(line)), [
    { time: "2026-11-24T02:00:00.000Z", level: "info", event: "request", status: 200, path: "/" },
  ]);
});

Deno.test("createLog() writes plain lines of name=value", () => {
  const lines = linesOf(false, (log) => log.error("failed", { ms: 1.5, stages: ["a", "b"] }));
  assertEquals(lines, ["2026-11-24T02:00:00.000Z error failed ms=1.5 stages=a,b"]);
});

Deno.test("createLog() keeps a value with a newline or a quote on its one line", () => {
  const forged = 'x"\n2026-11-24T02:00:01.000Z info forged';
  for (const json of [true, false]) {
    const lines = linesOf(json, (log) => log.info("request", { path: forged }));
    assertEquals(lines.length, 1);
    assertEquals(lines[0]?.includes("\n"), false);
  }
});
