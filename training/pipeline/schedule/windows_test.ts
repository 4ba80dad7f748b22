import { assertEquals, assertThrows } from "@std/assert";
import { Windows } from "./windows.ts";

function following(windows: Windows, after: string, count: number): string[] {
  const found: string[] = [];
  let at = new Date(after);
  for (let i = 0; i < count; i++) {
    at = windows.next(at);
    found.push(at.toISOString().slice(0, 16));
  }
  return found;
}

Deno.test("Windows.next() follows the clocks of the time zone, through both changes", () => {
  const night = new Windows("30 2 * * *", "Europe/Vienna");
  assertEquals(following(night, "2026-03-27T12:00:00Z", 4), [
    "2026-03-28T01:30",
    "2026-03-29T01:00", // 2:30 does not exist: the clocks go from 2:00 to 3:00
    "2026-03-30T00:30",
    "2026-03-31T00:30",
  ]);
  assertEquals(following(night, "2026-10-23T12:00:00Z", 4), [
    "2026-10-24T00:30",
    "2026-10-25T00:30", // and not again at 1:30 UTC, which is 2:30 once more
    "2026-10-26T01:30",
    "2026-10-27T01:30",
  ]);
  const hourly = new Windows("15 * * * *", "Europe/Vienna");
  assertEquals(following(hourly, "2026-10-24T23:30:00Z", 4), [
    ...["2026-10-25T00:15", "2026-10-25T01:15", "2026-10-25T02:15", "2026-10-25T03:15"],
  ]);
  const south = new Windows("0 2 * * SUN", "Australia/Lord_Howe");
  assertEquals(following(south, "2026-10-01T00:00:00Z", 2), [
    "2026-10-03T15:30", // half an hour of change: 2:00 does not exist, 2:30 is the first after it
    "2026-10-10T15:00",
  ]);
});

Deno.test("Windows.passed() gives the last window of a gap and how many passed", () => {
  const daily = new Windows("0 3 * * *", "UTC");
  const passed = (since: string, now: string) => {
    const found = daily.passed(new Date(since), new Date(now));
    return found && [found.latest.toISOString(), found.count];
  };
  assertEquals(passed("2026-11-01T03:00:00Z", "2026-11-02T02:59:59Z"), null);
  assertEquals(passed("2026-11-01T03:00:00Z", "2026-11-02T03:00:00Z"), [
    ...["2026-11-02T03:00:00.000Z", 1],
  ]);
  assertEquals(passed("2026-11-01T03:00:00Z", "2026-11-05T12:00:00Z"), [
    ...["2026-11-05T03:00:00.000Z", 4],
  ]);
});

Deno.test("Windows names what is wrong with an expression or a zone", () => {
  const cases: [string, string, string][] = [
    ["61 * * * *", "UTC", 'Cannot read --cron "61 * * * *" in UTC: '],
    ["3 o'clock", "UTC", "in UTC: "],
    ["0 3 * * *", "Mars/Olympus", "in Mars/Olympus: "],
    ["0 0 30 2 *", "UTC", "no time fits it"],
  ];
  for (const [expression, zone, message] of cases) {
    assertThrows(() => new Windows(expression, zone), SyntaxError, message);
  }
});
