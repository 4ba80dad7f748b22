import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describeSettings, ENVIRONMENT, readConfig } from "./config.ts";

const noEnv = () => undefined;
const env = (values: Record<string, string>) => (name: string) => values[name];

Deno.test("readConfig() gives every setting a default but the model and its version", () => {
  const config = readConfig([], noEnv);
  assertEquals(config.host, "127.0.0.1");
  assertEquals(config.port, 8000);
  assertEquals(config.maxBodyBytes, 10_000_000);
  assertEquals(config.json, false);
  assertEquals(config.model, undefined);
  assertEquals(config.version, undefined);
});

Deno.test("readConfig() takes flags over variables over defaults", () => {
  const values = { TOPFIVE_MODEL: "lenet5", TOPFIVE_LISTEN_PORT: "9000", TOPFIVE_QUEUE: "7" };
  const config = readConfig(["--port", "0", "--model=alexnet-small"], env(values));
  assertEquals(config.model, "alexnet-small");
  assertEquals(config.port, 0);
  assertEquals(config.queueCapacity, 7);
});

Deno.test("readConfig() takes an empty variable for an absent one", () => {
  assertEquals(readConfig([], env({ TOPFIVE_QUEUE: "" })).queueCapacity, 32);
});

Deno.test("readConfig() reads the switch from the flag and from words of the variable", () => {
  assertEquals(readConfig(["--json"], noEnv).json, true);
  for (const [word, expected] of [["true", true], ["1", true], ["false", false], ["0", false]]) {
    assertEquals(readConfig([], env({ TOPFIVE_LOG_JSON: String(word) })).json, expected);
  }
});

Deno.test("readConfig() names the flag or the variable that holds a wrong value", () => {
  const wrong: [string[], Record<string, string>, string][] = [
    [["--port", "70000"], {}, '--port: "70000"'],
    [["--port", "http"], {}, '--port: "http"'],
    [["--threads", "0"], {}, '--threads: "0"'],
    [["--queue", "1.5"], {}, '--queue: "1.5"'],
    [["--store="], {}, '--store: ""'],
    [[], { TOPFIVE_MAX_BODY: "10MB" }, 'TOPFIVE_MAX_BODY: "10MB"'],
    [[], { TOPFIVE_LOG_JSON: "perhaps" }, 'TOPFIVE_LOG_JSON: "perhaps"'],
  ];
  for (const [args, values, message] of wrong) {
    assertThrows(() => readConfig(args, env(values)), SyntaxError, message);
  }
});

Deno.test("readConfig() refuses unknown flags, stray words and flags without a value", () => {
  for (const args of [["--prot", "80"], ["alexnet"], ["--port"], ["--json=yes"]]) {
    assertThrows(() => readConfig(args, noEnv), SyntaxError, "Cannot read the command line");
  }
});

Deno.test("readConfig() asks for the variables of ENVIRONMENT and no others", () => {
  const asked = new Set<string>();
  readConfig([], (name) => {
    asked.add(name);
    return undefined;
  });
  assertEquals([...asked].sort(), [...ENVIRONMENT].sort());
  assert([...asked].every((name) => name.startsWith("TOPFIVE_")));
});

Deno.test("describeSettings() says flag, unit, variable and default of each setting", () => {
  const text = describeSettings();
  assertStringIncludes(text, "--max-body BYTES  (TOPFIVE_MAX_BODY, default 10000000)");
  assertStringIncludes(text, "--model NAMES  (TOPFIVE_MODEL)");
  for (const variable of ENVIRONMENT) assertStringIncludes(text, variable);
  assert(text.split("\n").every((line) => line.length <= 100));
});
