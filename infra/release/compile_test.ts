import { assertEquals } from "@std/assert";
import { compileCommands } from "./compile.ts";

Deno.test("compileCommands() includes the modules that no import names", async () => {
  const [service, commands] = await compileCommands("/out", "x86_64-pc-windows-msvc");
  const included = (args: string[] | undefined) =>
    args!.filter((arg) => arg.startsWith("--include=")).map((arg) => arg.split("/").at(-1));
  for (const worker of ["decode_worker.ts", "follower_worker.ts", "run_worker.ts"]) {
    assertEquals(included(service).includes(worker), true);
  }
  assertEquals(included(commands).includes("prefetch_worker.ts"), true);
  assertEquals(service!.at(-1), "inference/serve.ts");
  assertEquals(service!.includes("--output=/out/topfive-serve-x86_64-pc-windows-msvc"), true);
});
