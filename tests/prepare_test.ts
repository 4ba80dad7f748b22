// Preparing by the command line: killed and begun again, then trained on and evaluated.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { topfive, TopfiveProcess } from "./topfive_process.ts";

const PREPARE = ["--side", "28", "--channels", "1", "--workers", "2"];

async function contents(folder: string): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for await (const { name } of Deno.readDir(folder)) {
    const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(join(folder, name)));
    hashes[name] = new Uint8Array(digest).toHex();
  }
  return hashes;
}

const namesIn = (folder: string) => Array.fromAsync(Deno.readDir(folder), ({ name }) => name);

/** Resolves when so many shards are finished, or the process has ended by itself. */
async function finishedShards(folder: string, count: number, ended: Promise<unknown>) {
  let isOver = false;
  ended.finally(() => isOver = true);
  const finished = async () => {
    const names: string[] = await namesIn(join(folder, ".work")).catch(() => []);
    return names.filter((name) => name.endsWith(".json")).length;
  };
  while (!isOver && await finished() < count) await new Promise((r) => setTimeout(r, 2));
  return isOver;
}

Deno.test("topfive prepare, killed twice, writes what it writes in one go; train and evaluate read it", async () => {
  const folder = await Deno.makeTempDir({ prefix: "top five " });
  try {
    const sizes = ["--train", "320", "--validation", "40", "--test", "40", "--side", "64"];
    await topfive(folder, "data", "make", "images", ...sizes);
    const { stdout } = await topfive(folder, "prepare", "images", "whole", ...PREPARE);
    assertMatch(stdout, /400 of 400 read \(320 train, 40 validation, 40 test\)/);
    const whole = await contents(join(folder, "whole"));

    for (const count of [2, 7]) {
      await using run = new TopfiveProcess(folder, ["prepare", "images", "killed", ...PREPARE]);
      const isOver = await finishedShards(join(folder, "killed"), count, run.finished());
      assert(!isOver, "it ended before it could be killed");
      run.signal("SIGKILL");
      await run.finished();
      const names = await namesIn(join(folder, "killed"));
      assert(!names.includes("index.json"), names.join());
    }
    const again = await topfive(folder, "prepare", "images", "killed", ...PREPARE, "--json");
    assert(JSON.parse(again.stdout).resumed > 0, again.stdout);
    assertEquals(await contents(join(folder, "killed")), whole);
    assertMatch((await topfive(folder, "prepare", "--check", "killed")).stdout, /shard is whole/);

    const settings = ["--model", "lenet5", "--epochs", "1", "--batch-size", "40"];
    await topfive(folder, "train", ...settings, "--data", "killed", "--out", "run");
    const evaluated = await topfive(folder, "evaluate", "run", "--data", "killed", "--json");
    assertEquals(JSON.parse(evaluated.stdout).images, 40);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
