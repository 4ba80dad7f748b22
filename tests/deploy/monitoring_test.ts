// What alerts, dashboard and autoscaler ask for is what a real service exports.
import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { startedApp } from "../../inference/fixtures/started_app.ts";
import dashboard from "../../infra/monitoring/dashboard.json" with { type: "json" };
import rules from "../../infra/monitoring/rules.yml" with { type: "text" };
import autoscaler from "../../infra/kubernetes/service/horizontal_pod_autoscaler.yaml" with {
  type: "text",
};
import runbook from "../../infra/RUNBOOK.md" with { type: "text" };

const PROMTOOL = fromFileUrl(new URL("../../.topfive/bin/promtool", import.meta.url));
const hasPromtool = await Deno.stat(PROMTOOL).then(() => true, () => false);
const MONITORING = fromFileUrl(new URL("../../infra/monitoring", import.meta.url));

/** Every query of the dashboard, with Grafana's variables as they are when somebody looks. */
const queries = [
  ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ...dashboard.annotations.list.map(({ expr }) => expr),
].map((expr) => expr.replaceAll("$job", ".*").replaceAll("$__rate_interval", "1m"));

/** Names of metrics, without those that recording rules make ("topfive:…"). */
function metricsIn(text: string): string[] {
  const names = text.match(/\b(?:topfive|nv|process)_[a-z0-9_]+\b/g) ?? [];
  return [...new Set(names)].sort();
}

/** Names that a scrape offers: a histogram's are three. */
async function exported(): Promise<Set<string>> {
  await using service = await startedApp();
  const local = { remoteAddr: { hostname: "127.0.0.1" } };
  const text = await (await service.app.request("/metrics", {}, local)).text();
  const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)];
  return new Set(
    types.flatMap(([, name, type]) =>
      type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name!]
    ),
  );
}

Deno.test("every metric that alerts, dashboard and autoscaler name is exported by the service", async () => {
  const offered = await exported();
  const expressions = [...rules.matchAll(/expr: (?:\|\n((?: {10}.*\n)+)|(.*))/g)]
    .map(([, block, line]) => block ?? line!).join("\n");
  const [, scaled] = /name: (topfive_\w+)/.exec(autoscaler.split("metric:")[1]!)!;
  const asked = [...metricsIn(expressions), ...metricsIn(queries.join("\n")), scaled!];
  assert(asked.length > 15, `${asked.length} names`);
  assertEquals(asked.filter((name) => !offered.has(name)), []);
});

Deno.test("every alert leads to a section of the runbook", () => {
  const sections = [...runbook.matchAll(/^## (.+)$/gm)].map(([, title]) =>
    title!.toLowerCase().replaceAll(/[^a-z0-9 -]/g, "").replaceAll(" ", "-")
  );
  const targets = [...rules.matchAll(/runbook_url: infra\/RUNBOOK.md#(\S+)/g)].map(([, name]) =>
    name!
  );
  assertEquals(targets.length, [...rules.matchAll(/- alert:/g)].length);
  assertEquals(targets.filter((target) => !sections.includes(target)), []);
});

async function promtool(...args: string[]): Promise<void> {
  const { code, stdout, stderr } = await new Deno.Command("/bin/sh", {
    args: ["-c", 'exec "$0" "$@"', PROMTOOL, ...args],
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assertEquals(code, 0, text(stdout) + text(stderr));
}

Deno.test({
  name:
    "promtool finds the rules sound and their unit tests pass (needs infra/tools/install.sh slow)",
  ignore: !hasPromtool,
  async fn() {
    await promtool("check", "rules", "--lint=all", "--lint-fatal", `${MONITORING}/rules.yml`);
    await promtool("test", "rules", `${MONITORING}/rules_test.yml`);
  },
});

Deno.test({
  name: "promtool reads every query of the dashboard (needs infra/tools/install.sh slow)",
  ignore: !hasPromtool,
  async fn() {
    const file = await Deno.makeTempFile({ suffix: ".yml" });
    try {
      const listed = queries.map((expr, index) => ({ record: `query:${index}`, expr }));
      // JSON is YAML.
      await Deno.writeTextFile(
        file,
        JSON.stringify({ groups: [{ name: "dashboard", rules: listed }] }),
      );
      await promtool("check", "rules", file);
    } finally {
      await Deno.remove(file);
    }
  },
});

Deno.test("the dashboard's panels have names, places that do not overlap, and queries", () => {
  const taken = new Set<string>();
  for (const { title, gridPos: { x, y, w, h }, targets } of dashboard.panels) {
    assert(title !== "" && targets.length > 0);
    assert(x + w <= 24, `${title} is too wide`);
    for (let column = x; column < x + w; column++) {
      for (let row = y; row < y + h; row++) {
        const place = `${column} ${row}`;
        assert(!taken.has(place), `${title} overlaps another panel`);
        taken.add(place);
      }
    }
  }
});
