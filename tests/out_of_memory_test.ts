// A device that refuses an allocation. The software driver takes the process's memory, which the shell
// bounds: 6 GB above what this process has reserved.
import { assert, assertMatch } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { openGpu } from "../training/gpu/device.ts";

const PROGRAM = fromFileUrl(import.meta.resolve("./out_of_memory/starved_engine.ts"));
const BOUNDED =
  `ulimit -v $(($(sed -n 's/^VmPeak:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/$PPID/status)` +
  ` + 6000000)) && exec "$@"`;

async function isSoftwareOnLinux(): Promise<boolean> {
  if (Deno.build.os !== "linux") return false;
  const gpu = await openGpu();
  gpu.close();
  return /llvmpipe|lavapipe/i.test(gpu.description);
}

Deno.test({
  name: "an engine for which the device has no memory says so, and what its parts take",
  ignore: !await isSoftwareOnLinux(),
  async fn() {
    const { success, stdout, stderr } = await new Deno.Command("/bin/sh", {
      args: ["-c", BOUNDED, "sh", Deno.execPath(), "run", "--allow-all", "--no-check", PROGRAM],
    }).output();
    const said = new TextDecoder().decode(stdout);
    assert(success, `${said}${new TextDecoder().decode(stderr)}`);
    assertMatch(
      said,
      /^The GPU was out of memory: .*\. 1024 images at a time take 5\d\d\.\d MB .*--micro-batch 512 /,
    );
  },
});
