// Prometheus' own parser and its rules for names, on what the service says. Needs promtool on PATH:
// go install github.com/prometheus/prometheus/cmd/promtool@v0.316.0
import { assertEquals } from "@std/assert";
import { fixture } from "../../inference/fixtures/colours.ts";
import { startedApp } from "../../inference/fixtures/started_app.ts";

const missing = !(await new Deno.Command("/bin/sh", { args: ["-c", "command -v promtool"] })
  .output()).success;

Deno.test({
  name: "promtool reads /metrics, and objects to Triton's names alone",
  ignore: missing,
  fn: async () => {
    await using service = await startedApp({ cacheEntries: 4, feedback: true });
    const red = await fixture("red.png");
    for (const body of [red, red, "no image"]) await service.post(body);
    await service.app.request("/v1/feedback?label=green", { method: "POST", body: red });
    const local = { remoteAddr: { hostname: "127.0.0.1" } };
    const metrics = await (await service.app.request("/metrics", {}, local)).text();
    const promtool = new Deno.Command("/bin/sh", {
      args: ["-c", "exec promtool check metrics"],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const input = promtool.stdin.getWriter();
    await input.write(new TextEncoder().encode(metrics));
    await input.close();
    const { code, stdout, stderr } = await promtool.output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    const said = (text(stdout) + text(stderr)).split("\n").filter((line) => line !== "");
    assertEquals(said.filter((line) => !line.startsWith("nv_")), []);
    // 3: it has read everything, and found names that it does not like.
    assertEquals(code, 3);
  },
});
