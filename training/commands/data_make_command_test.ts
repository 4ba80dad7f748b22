import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { decodeImage } from "../../shared/image/decode.ts";
import { dataMakeCommand } from "./data_make_command.ts";

/** The exit status and all that was printed. */
async function run(...args: string[]): Promise<{ status: number; printed: string }> {
  const { log, error } = console;
  const lines: unknown[] = [];
  console.log = console.error = (...parts) => lines.push(...parts);
  try {
    return { status: await dataMakeCommand(args), printed: lines.join("\n") };
  } finally {
    Object.assign(console, { log, error });
  }
}

Deno.test("dataMakeCommand() draws the set and its contact sheet", async () => {
  const directory = await Deno.makeTempDir();
  const set = join(directory, "set"), sheet = join(directory, "sheet.png");
  const sizes = ["--train", "20", "--validation", "10", "--test", "10", "--side", "16"];
  const { status, printed } = await run(set, ...sizes, "--seed", "3", "--sheet", sheet);
  assertEquals(status, 0);
  assertStringIncludes(printed, `${set}: 20 train, 10 validation, 10 test (seed 3)`);
  assertEquals([...Deno.readDirSync(join(set, "train/ball"))].length, 2);
  assertEquals((await decodeImage(await Deno.readFile(sheet))).width, 10 * 18 + 2);

  const again = await run(set);
  assertEquals(again.status, 1);
  assertStringIncludes(again.printed, "is not empty");
  await Deno.remove(directory, { recursive: true });
});

Deno.test("dataMakeCommand() --help says what the set is", async () => {
  const { status, printed } = await run("--help");
  assertEquals(status, 0);
  assertStringIncludes(printed, "Usage: topfive data make DIR");
  assertStringIncludes(printed, "These are drawings, not photographs");
});

Deno.test("dataMakeCommand() answers wrong arguments with status 2 and the reason", async () => {
  const cases: [string[], string][] = [
    [[], "no folder given"],
    [["a", "b"], "too many folders (b)"],
    [["a", "--colour", "red"], "unknown option --colour"],
    [["a", "--tran", "20"], "unknown option --tran (did you mean --train?)"],
    [["a", "--train", "many"], "--train is many (expected a whole number)"],
    [["a", "--seed"], "--seed has no value"],
    [["a", "--sheet"], "--sheet has no value"],
  ];
  for (const [args, message] of cases) {
    const { status, printed } = await run(...args);
    assertEquals(status, 2);
    assertStringIncludes(printed, message);
  }
});
