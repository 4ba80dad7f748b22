import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { captured } from "../fixtures/captured.ts";
import { drawImages, inFolder } from "../fixtures/drawn_run.ts";
import { readRun } from "../run_folder.ts";
import { evaluateCommand } from "./evaluate_command.ts";
import { trainCommand } from "./train_command.ts";
import { tuneCommand } from "./tune_command.ts";

const run = (...args: string[]) => captured(() => tuneCommand(args));

/** With a cache folder of its own: nobody's measurements are read or changed. */
async function withCache(folder: string, body: () => Promise<void>): Promise<void> {
  const before = Deno.env.get("XDG_CACHE_HOME");
  Deno.env.set("XDG_CACHE_HOME", folder);
  try {
    await body();
  } finally {
    if (before === undefined) Deno.env.delete("XDG_CACHE_HOME");
    else Deno.env.set("XDG_CACHE_HOME", before);
  }
}

Deno.test("tuneCommand() answers wrong arguments with 2 and the reason", async () => {
  const cases: [string[], string][] = [
    [["resnet"], "Cannot tune: expected one model"],
    [["lenet5", "alexnet"], "Cannot tune: expected one model"],
    [["--batch", "0"], "--batch is 0 (expected a whole number, at least 1)"],
    [["--candidates", "25"], "--candidates is 25 (expected a whole number from 2 to 24)"],
    [["--agian"], "unknown option --agian (did you mean --again?)"],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await run(...args);
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, message);
  }
  assertStringIncludes((await run("--help")).stdout, "topfive tune [MODEL]");
});

Deno.test("tuneCommand() keeps what it measures; train and evaluate use it and say so", async () => {
  await inFolder(async (path) => {
    await withCache(path("cache"), async () => {
      const args = ["lenet5", "--batch", "4", "--candidates", "2"];
      const first = await run(...args, "--json");
      assertEquals(first.code, 0, first.stderr);
      const { problems } = JSON.parse(first.stdout);
      assertEquals(problems.length, 14);
      for (const { key, tile, refused, milliseconds } of problems) {
        assert(milliseconds > 0, key);
        assertEquals([typeof tile, refused], ["string", []], key);
      }
      assertStringIncludes((await run(...args)).stdout, "Nothing to tune");

      const file = path("cache/topfive/tuning.json");
      const tuning = JSON.parse(await Deno.readTextFile(file));
      const [entries] = Object.values<Record<string, { tile: string }>>(tuning.adapters);
      assertEquals(
        Object.fromEntries(Object.entries(entries!).map(([key, { tile }]) => [key, tile])),
        Object.fromEntries(problems.map(({ key, tile }: Record<string, string>) => [key, tile])),
      );

      await drawImages(path("images"));
      const trained = await captured(() =>
        trainCommand([
          ...["--model", "lenet5", "--data", path("images"), "--out", path("run")],
          ...["--epochs", "1", "--batch-size", "4"],
        ])
      );
      assertEquals(trained.code, 0, trained.stderr);
      const { tiles } = await readRun(path("run"));
      for (const { key, tile } of problems) assertEquals(tiles![key], tile, key);

      await Deno.writeTextFile(file, "{");
      const evaluated = await captured(() =>
        evaluateCommand([path("run"), "--data", path("images")])
      );
      assertEquals(evaluated.code, 0, evaluated.stderr);
      assertMatch((await run(...args)).stdout, /^14 products: [\d.]+ ms with the defaults, /m);
    });
  });
});
