import { assertEquals, assertMatch } from "@std/assert";
import { captured } from "../fixtures/captured.ts";
import { type Command, runCommand } from "./command.ts";

/** A command that reads one word and does what the test says with it. */
function echo(run: (word: string) => Promise<number>): Command<string> {
  return {
    name: "echo",
    help: (args) => `help for ${args.join(" ")}`,
    read: ([word]) => {
      if (word === undefined) throw new SyntaxError("Cannot echo: no word given");
      return word;
    },
    run,
  };
}

Deno.test("runCommand() gives the exit code of the work", async () => {
  const words: string[] = [];
  const command = echo((word) => {
    words.push(word);
    return Promise.resolve(130);
  });
  assertEquals(await captured(() => runCommand(command, ["a"])), {
    code: 130,
    stdout: "",
    stderr: "",
  });
  assertEquals(words, ["a"]);
});

Deno.test("runCommand() helps wherever it is asked, and works nothing", async () => {
  const command = echo(() => Promise.reject(new Error("it worked")));
  for (const args of [["--help"], ["-h"], ["a", "--help"]]) {
    const { code, stdout, stderr } = await captured(() => runCommand(command, args));
    assertEquals([code, stdout, stderr], [0, `help for ${args.join(" ")}`, ""]);
  }
});

Deno.test("runCommand() answers wrong arguments with 2 and where to read on", async () => {
  const command = echo(() => Promise.resolve(0));
  const { code, stderr } = await captured(() => runCommand(command, []));
  assertEquals(code, 2);
  assertEquals(stderr, "topfive: Cannot echo: no word given\nTry: topfive echo --help");
});

Deno.test("runCommand() answers work that fails with 1 and one line, damaged files too", async () => {
  for (const Kind of [Error, RangeError, SyntaxError]) {
    const command = echo(() => Promise.reject(new Kind("Cannot read x: it is damaged")));
    const { code, stderr } = await captured(() => runCommand(command, ["a"]));
    assertEquals([code, stderr], [1, "topfive: Cannot read x: it is damaged"]);
  }
});

Deno.test("runCommand() shows where a fault of the program itself is", async () => {
  const command = echo(() => Promise.reject(new TypeError("x is undefined")));
  const { code, stderr } = await captured(() => runCommand(command, ["a"]));
  assertEquals(code, 1);
  assertMatch(stderr, /^topfive: TypeError: x is undefined\n +at .*command_test\.ts/);
});
