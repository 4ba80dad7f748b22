// Schemathesis (PyPI) makes requests from /openapi.json and checks every answer against it: no server
// error, no status, header, content type or body that the document has not. One to two minutes.
// TOPFIVE_SCHEMATHESIS names the program (schemathesis unless given).
import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { coloursStore } from "../../inference/fixtures/colours_store.ts";
import { makeApiKey } from "../../inference/middleware/api_keys.ts";
import { ServiceProcess } from "../../inference/trial/service_process.ts";

const PROGRAM = Deno.env.get("TOPFIVE_SCHEMATHESIS") ?? "schemathesis";
const CONFIG = fromFileUrl(new URL("schemathesis.toml", import.meta.url));
const CHECKS = [
  ...["not_a_server_error", "status_code_conformance", "content_type_conformance"],
  ...["response_schema_conformance", "response_headers_conformance", "unsupported_method"],
  ...["allow_header_conformance", "missing_required_header"],
];

/** In a folder of its own: it leaves a cache where it runs. */
async function run(...args: string[]): Promise<Deno.CommandOutput> {
  const cwd = await Deno.makeTempDir({ prefix: "topfive-schemathesis-" });
  const shell = ["-c", `exec "$0" "$@"`, PROGRAM, ...args];
  const output = await new Deno.Command("/bin/sh", { args: shell, cwd }).output();
  await Deno.remove(cwd, { recursive: true });
  return output;
}

/** A key that may do everything, so that what needs one is reached too. */
async function startService(folder: string) {
  const { key, sha256 } = makeApiKey();
  const keys = `fuzz:admin:${sha256}`;
  return { key, service: await ServiceProcess.start(["--store", folder, "--api-keys", keys]) };
}

Deno.test({
  name: "schemathesis finds no server error and nothing that /openapi.json does not say",
  ignore: !(await run("--version")).success,
  fn: async () => {
    await using store = await coloursStore();
    const started = await startService(store.folder);
    await using service = started.service;
    const url = await service.ready(30_000);
    // Unloading the one model last: nothing answers after it.
    for (const paths of [["--exclude-path-regex", "/unload$"], ["--include-path-regex", "load$"]]) {
      const { code, stdout } = await run(
        ...["--config-file", CONFIG, "--no-color", "run", `${url}openapi.json`, ...paths],
        ...["--checks", CHECKS.join(","), "--phases", "coverage,fuzzing", "--seed", "1"],
        ...["--max-examples", "40", "--header", `Authorization: Bearer ${started.key}`],
      );
      const report = new TextDecoder().decode(stdout);
      console.log(report.slice(-1500));
      assertEquals(code, 0, report);
    }
  },
});
