import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import config from "./deno.json" with { type: "json" };

const program = fromFileUrl(new URL("main.ts", import.meta.url));

async function run(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--allow-env", "--allow-read", program, ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, stdout: out!, stderr: err! };
}

Deno.test("topfive version prints the version alone", async () => {
  for (const word of ["version", "--version"]) {
    assertEquals(await run(word), { code: 0, stdout: `${config.version}\n`, stderr: "" });
  }
});

Deno.test("topfive names the nearest command to an unknown one", async () => {
  const { code, stdout, stderr } = await run("trian", "--model", "lenet5");
  assertEquals([code, stdout], [2, ""]);
  assertStringIncludes(stderr, '"trian" is not a command (did you mean train?;');
  const other = await run("constructor");
  assertEquals(other.code, 2);
  assertStringIncludes(other.stderr, "(expected train, evaluate, ");
});

Deno.test("topfive data names the nearest of its commands", async () => {
  const { code, stderr } = await run("data", "mak");
  assertEquals(code, 2);
  assertStringIncludes(stderr, "data mak is not a command (did you mean make?)");
  const { stdout, ...help } = await run("data", "--help");
  assertEquals(help.code, 0);
  for (const name of ["make", "fetch", "stats", "show"]) assertStringIncludes(stdout, `  ${name} `);
});

Deno.test("topfive passes a command's exit code on", async () => {
  assertEquals((await run("plan", "lenet5")).code, 0);
  assertEquals((await run("plan", "lenet6")).code, 2);
  assertEquals((await run("export", "/nowhere", "--onnx", "x")).code, 1);
});
