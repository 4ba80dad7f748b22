import { assertEquals, assertThrows } from "@std/assert";
import { nearestName } from "../nearest_name.ts";
import { readArguments } from "./arguments.ts";

const KNOWN = {
  "learning-rate": "value",
  data: "value",
  json: "switch",
  flip: "on-off",
} as const;

const read = (...args: string[]) => readArguments("train", args, KNOWN);

Deno.test("readArguments() splits options from the rest, in any order", () => {
  assertEquals(read("runs/a", "--data", "my images", "--json", "x"), {
    options: { data: "my images", json: true },
    positionals: ["runs/a", "x"],
  });
  assertEquals(read(), { options: {}, positionals: [] });
});

Deno.test("readArguments() takes values with and without the equals sign", () => {
  assertEquals(read("--data=a=b").options, { data: "a=b" });
  assertEquals(read("--learning-rate=1e-3").options, { "learning-rate": "1e-3" });
  assertEquals(read("--data=-odd").options, { data: "-odd" });
  assertEquals(read("--data", "-").options, { data: "-" });
});

Deno.test("readArguments() takes a negative number for a value, not another option", () => {
  for (const number of ["-1", "-0.5", "-1e-3", "-Infinity"]) {
    assertEquals(read("--learning-rate", number).options, { "learning-rate": number });
  }
  for (
    const args of [["--data", "--json"], ["--data", "-v"], ["--data"], ["--data="], ["--data", ""]]
  ) {
    assertThrows(() => read(...args), SyntaxError, "Cannot train: --data has no value");
  }
});

Deno.test("readArguments() turns an on-off option off by --no-, and no other", () => {
  assertEquals(read("--flip").options, { flip: true });
  assertEquals(read("--no-flip").options, { flip: false });
  assertThrows(() => read("--no-json"), SyntaxError, "unknown option --no-json");
  assertThrows(() => read("--no-data"), SyntaxError, "unknown option --no-data");
});

Deno.test("readArguments() leaves what follows -- alone", () => {
  assertEquals(read("--json", "--", "--data", "-x").positionals, ["--data", "-x"]);
});

Deno.test("readArguments() suggests the nearest option for an unknown one", () => {
  const cases: [string[], string][] = [
    [["--lerning-rate", "1"], "unknown option --lerning-rate (did you mean --learning-rate?)"],
    [["--learning_rate=1"], "unknown option --learning_rate (did you mean --learning-rate?)"],
    [["--dta", "x"], "unknown option --dta (did you mean --data?)"],
    [["--no-flp"], "unknown option --no-flp (did you mean --no-flip?)"],
    [["--colour", "red"], "unknown option --colour"],
    [["-d"], "unknown option -d"],
    [["-j"], "unknown option -j"],
  ];
  for (const [args, message] of cases) {
    const error = assertThrows(() => read(...args), SyntaxError);
    assertEquals(error.message, `Cannot train: ${message}`);
  }
});

Deno.test("readArguments() takes no name of Object's for an option", () => {
  for (const name of ["--constructor", "--toString", "--__proto__"]) {
    assertThrows(() => read(name), SyntaxError, `unknown option ${name}`);
  }
});

Deno.test("readArguments() refuses an option given twice and a switch with a value", () => {
  assertThrows(() => read("--data", "a", "--data=b"), SyntaxError, "--data is given twice");
  assertThrows(() => read("--flip", "--no-flip"), SyntaxError, "--flip is given twice");
  assertThrows(() => read("--json=yes"), SyntaxError, "--json takes no value (yes)");
  assertThrows(() => read("--no-flip=1"), SyntaxError, "--no-flip takes no value (1)");
});

Deno.test("nearestName() finds slips of the keys and leaves other words alone", () => {
  const names = ["train", "evaluate", "export", "serve"];
  assertEquals(nearestName("trian", names), "train");
  assertEquals(nearestName("evalute", names), "evaluate");
  assertEquals(nearestName("publish", names), undefined);
  assertEquals(nearestName("", names), undefined);
  assertEquals(nearestName("x", []), undefined);
});
