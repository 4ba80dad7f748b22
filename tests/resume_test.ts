// A training that is killed goes on as if it had not been: the real command, the real signals.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { readCheckpoint } from "../training/checkpoint/checkpoint.ts";
import { findCheckpoint } from "../training/checkpoint/checkpoint_folder.ts";
import { topfive, TopfiveProcess } from "./topfive_process.ts";

const KILLS = 10;
const SETTINGS = [
  ...["--model", "lenet5", "--data", "images", "--batch-size", "10", "--seed", "3"],
  ...["--learning-rate", "0.02", "--warmup-steps", "7"],
];
const EPOCHS = ["--epochs", "12", "--schedule", "cosine"];
const CHECKPOINTS = ["--checkpoint-every", "5"];

async function withImages(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const sizes = ["--train", "120", "--validation", "20", "--test", "10", "--side", "32"];
    await topfive(folder, "data", "make", "images", ...sizes);
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A run that is killed before its folder is there was never begun. */
async function exists(path: string): Promise<void> {
  while (!await Deno.stat(path).then(() => true, () => false)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function latest(run: string) {
  return await readCheckpoint((await findCheckpoint(run, "latest"))!);
}

/** The records of a run, without what the clock decides. */
async function metrics(run: string) {
  const text = await Deno.readTextFile(join(run, "metrics.jsonl"));
  return text.trimEnd().split("\n").map((line) => {
    const { imagesPerSecond, time: _, ...rest } = JSON.parse(line);
    assert(imagesPerSecond === null ? rest.kind === "step" : imagesPerSecond > 0);
    return rest;
  });
}

/** Milliseconds from a run's first logged step to its last. */
async function duration(run: string): Promise<number> {
  const lines = (await Deno.readTextFile(join(run, "metrics.jsonl"))).trimEnd().split("\n");
  const times = lines.map((line) => JSON.parse(line)).filter(({ kind }) => kind === "step")
    .map(({ time }) => time * 1000);
  return times.at(-1)! - times[0]!;
}

Deno.test(`topfive train killed ${KILLS} times at random moments ends as if it never was`, async () => {
  await withImages(async (folder) => {
    const [whole, killed] = [join(folder, "whole"), join(folder, "killed")];
    await topfive(folder, "train", ...SETTINGS, ...EPOCHS, "--out", "whole");
    // However fast the machine: all kills together leave the training unfinished.
    const longest = await duration(whole) / KILLS;
    const stops: string[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      const args = kill === 0
        ? [...SETTINGS, ...EPOCHS, "--out", "killed"]
        : ["--resume", "killed"];
      await using training = new TopfiveProcess(folder, ["train", ...args, ...CHECKPOINTS]);
      if (kill > 0) await training.printed("stderr", /^(going on after|no checkpoint yet)/m);
      else await exists(join(killed, "run.json"));
      const milliseconds = Math.random() * longest;
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      training.signal("SIGKILL");
      await training.finished();
      const file = await findCheckpoint(killed, "latest").catch(() => null);
      stops.push(`${milliseconds.toFixed(0)} ms: ${file?.slice(-8)}`);
    }
    const { stderr } = await topfive(folder, "train", "--resume", "killed", ...CHECKPOINTS);
    const [a, b] = [await latest(whole), await latest(killed)];
    const story = `${stops.join(", ")}; ${stderr}`;
    assertEquals(b.state, a.state, story);
    assertEquals(b.parameters, a.parameters, story);
    assertEquals(b.momenta, a.momenta, story);
    assertEquals(await metrics(killed), await metrics(whole), story);
    assertEquals(
      (await metrics(whole)).filter(({ kind }) => kind !== "step").map(({ epoch }) => epoch),
      Array.from(Array(12), (_, i) => i + 1),
    );
    const names = [...Deno.readDirSync(join(killed, "checkpoints"))].map(({ name }) => name);
    assert(names.length <= 3 && names.every((name) => name.startsWith("step-")), names.join());
  });
});

Deno.test("topfive train stops on SIGTERM with 143 and goes on where it stood", async () => {
  await withImages(async (folder) => {
    const args = ["train", ...SETTINGS, "--epochs", "1000", "--out", "run"];
    await using training = new TopfiveProcess(folder, args);
    await training.printed("stderr", /^epoch +1\/1000 +training/m);
    // Meanwhile nobody else may train there.
    const second = await new TopfiveProcess(folder, ["train", "--resume", "run"]).finished();
    assertEquals(second.code, 1);
    assertMatch(second.stderr, /Cannot train into run: process \d+ is training there/);
    training.signal("SIGTERM");
    const { code, stderr } = await training.finished();
    assertEquals(code, 143, stderr);
    assertStringIncludes(stderr, "go on with: ./topfive train --resume run");
    const { state } = await latest(join(folder, "run"));
    assert(state.step >= 12);
  });
});
