// Triton's own Python client against the service. TOPFIVE_PYTHON names a Python with tritonclient[http]
// and numpy (python3 unless given).
import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { startedApp } from "../../inference/fixtures/started_app.ts";

const SCRIPT = fromFileUrl(new URL("kserve_client.py", import.meta.url));
const RED = fromFileUrl(new URL("../../inference/fixtures/red.png", import.meta.url));

Deno.test("tritonclient reads metadata, and gets tensors and classes in binary", async () => {
  await using service = await startedApp();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => service.app.fetch(request),
  );
  const python = Deno.env.get("TOPFIVE_PYTHON") ?? "python3";
  const { code, stdout, stderr } = await new Deno.Command("/bin/sh", {
    args: ["-c", `exec "$0" "$@"`, python, SCRIPT, `127.0.0.1:${server.addr.port}`, RED],
  }).output();
  await server.shutdown();
  assertEquals(new TextDecoder().decode(stderr), "");
  assertEquals([code, new TextDecoder().decode(stdout)], [0, "ok\n"]);
});
