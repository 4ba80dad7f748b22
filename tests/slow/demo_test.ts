// The demo as a new user runs it. Minutes of training, so only with `./topfive test --slow`.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";

const script = fromFileUrl(new URL("../../topfive", import.meta.url));

/** Two cores with the software driver must do with this. */
const MOST_SECONDS = 240;

Deno.test("topfive demo --exit draws, trains, publishes, serves and names what it sees", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const start = performance.now();
    const { code, stdout } = await new Deno.Command(script, {
      args: ["demo", "--exit", "--keep", join(folder, "demo"), "--port", "0"],
      stderr: "inherit",
    }).output();
    const seconds = (performance.now() - start) / 1000;
    const text = new TextDecoder().decode(stdout);
    assertEquals(code, 0, text);
    const right = Number(/^(\d) of 5 right at the first guess$/m.exec(text)?.[1]);
    // Ten classes: guessing gets four or more of five right once in 2,000 demos.
    assert(right >= 4, text);
    assertMatch(text, /✓ \w+ +█+/);
    assert(seconds <= MOST_SECONDS, `the demo took ${seconds.toFixed(0)} s`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
