import { assert, assertStringIncludes } from "@std/assert";
import type { RunRecord } from "../run_record.ts";
import { makeSettings } from "../settings.ts";
import { renderPage } from "./page.ts";

const RECORD: RunRecord = {
  ...{ run: "20261128-040000-0001", model: "pets", by: "ann@host", token: 1, codeVersion: "0.1.0" },
  ...{ createdAt: "2026-11-28T04:00:00.000Z", endedAt: "2026-11-28T04:10:00.000Z" },
  settings: makeSettings({}, { training: {} }),
  ...{ base: null, listing: null, records: null, version: null, told: false },
  state: "refused",
  reasons: ['top-1: <script>alert("1")</script> is worse'],
  stages: [{
    ...{ name: "train", state: "failed", attempts: 2, startedAt: "2026-11-28T04:01:00.000Z" },
    ...{ seconds: 65, text: "a & b" },
  }],
};

Deno.test("renderPage() tells a run in one file without scripts, whatever the names hold", () => {
  const files = Array.from({ length: 60 }, (_, i) => ({
    key: `incoming/pets/cat/${i}.jpg`,
    reason: `<img src=x onerror="1"> ${i}`,
  }));
  const page = renderPage({
    record: RECORD,
    results: {},
    findings: [{ rule: "unreadable", stops: false, text: "60 left out: unreadable", files }],
  });
  assertStringIncludes(page, "pets, run 20261128-040000-0001: ");
  assertStringIncludes(page, "refused; what answers is unchanged");
  assertStringIncludes(page, "&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62; is worse");
  assertStringIncludes(page, "a &#38; b");
  assertStringIncludes(page, "1:05");
  assertStringIncludes(page, "<code>incoming/pets/cat/49.jpg</code>: &#60;img src=x");
  assertStringIncludes(page, "and 10 more");
  assert(!/<script|<img|<link|https?:\/\//i.test(page));
});
