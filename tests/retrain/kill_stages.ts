/**
 * A retraining that is killed in its stages, every time on another machine, ends as if it had not
 * been: the real command, the real S3 server, SIGKILL.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { manifestKey } from "../../shared/registry/keys.ts";
import { readPointer } from "../../shared/registry/pointer.ts";
import { STAGE_NAMES, type StageName } from "../../training/pipeline/stage.ts";
import { topfive } from "../topfive_process.ts";
import type { Retraining } from "./retraining.ts";

/** Compiling kernels may keep a busy machine from renewing it for seconds. */
const LEASE_SECONDS = 6;
/** S3 tells whole seconds, so one more may pass. */
const LEASE_ENDS_MS = (LEASE_SECONDS + 1.1) * 1000;
const OPTIONS = [
  ...["--model", "lenet5", "--epochs", "30", "--batch-size", "10", "--config", "settings.json"],
  ...["--checkpoint-minutes", "0", "--lease-seconds", String(LEASE_SECONDS)],
];
const SETTINGS = {
  images: { minClassImages: 3, testShare: 0.3, validationShare: 0.2, minSide: 16 },
  gate: { minTestImages: 10, maxTop1Error: 1, maxTop5Error: 1 },
};

async function uploadShapes({ store, folder }: Retraining, model: string): Promise<void> {
  for await (const { name } of Deno.readDir(join(folder, "images/train"))) {
    for await (const image of Deno.readDir(join(folder, "images/train", name))) {
      const bytes = await Deno.readFile(join(folder, "images/train", name, image.name));
      await store.put(`incoming/${model}/${name}/${image.name}`, bytes);
    }
  }
}

/** Waits until a training's first checkpoint is in the store. */
async function checkpointed({ store }: Retraining, run: string): Promise<void> {
  while (await store.head(`models/shapes/runs/${run}/training/checkpoints.json`) === null) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

interface Record {
  readonly run: string;
  readonly state: string;
  readonly stages: readonly { name: string; state: string; attempts: number }[];
}

async function latestRun(retraining: Retraining): Promise<Record> {
  const { run } = await retraining.readJson<{ run: string }>("models/shapes/runs/latest.json");
  return await retraining.readJson<Record>(`models/shapes/runs/${run}/run.json`);
}

/** Kills a retraining as soon as it is in each of these stages, and compares it with another one. */
export async function killStages(
  stages: readonly StageName[],
  retraining: Retraining,
): Promise<void> {
  const { store, folder } = retraining;
  const sizes = ["--train", "240", "--validation", "10", "--test", "10", "--side", "32"];
  await topfive(folder, "data", "make", "images", ...sizes);
  await Deno.writeTextFile(join(folder, "settings.json"), JSON.stringify(SETTINGS));
  await uploadShapes(retraining, "shapes");
  await uploadShapes(retraining, "whole");

  for (const [i, stage] of stages.entries()) {
    const work = join(folder, i % 2 ? "machine-a" : "machine-b");
    await using process = retraining.begin("retrain", "shapes", ...OPTIONS, "--work", work);
    await process.printed("stderr", new RegExp(`^${stage}: begins`, "m"));
    if (stage === "train") await checkpointed(retraining, (await latestRun(retraining)).run);
    process.signal("SIGKILL");
    await process.finished();
    await new Promise((resolve) => setTimeout(resolve, LEASE_ENDS_MS));
  }
  const { code, outcome } = await retraining.retrain("shapes", ...OPTIONS, "--work", "machine-c");
  assertEquals([code, outcome.state], [0, "promoted"], outcome.reasons.join("; "));

  const record = await latestRun(retraining);
  assertEquals(
    record.stages.map(({ name, state }) => [name, state]).sort(),
    [
      ...STAGE_NAMES.map((name) => [name, "done"]),
    ].sort(),
  );
  const again = record.stages.filter(({ attempts }) => attempts > 1);
  assert(again.length > stages.length / 2, again.map(({ name }) => name).join());
  const runs = new Set<string>();
  for await (const { key } of store.list("models/shapes/runs/2")) runs.add(key.split("/")[3]!);
  assertEquals([...runs], [record.run]);
  assertEquals((await readPointer(store, "shapes", "champion"))?.move, 1);

  // Not a bit of the weights differs from those of a retraining that nobody disturbed.
  const undisturbed = await retraining.retrain("whole", ...OPTIONS, "--work", "machine-d");
  assertEquals(undisturbed.code, 0, undisturbed.outcome.reasons.join("; "));
  const weightsOf = async (model: string, version: string | null) => {
    const key = manifestKey(model, version!);
    return (await retraining.readJson<{ weights: { sha256: string } }>(key)).weights.sha256;
  };
  const killed = await weightsOf("shapes", outcome.run.version);
  assertMatch(killed, /^[0-9a-f]{64}$/);
  assertEquals(killed, await weightsOf("whole", undisturbed.outcome.run.version));
}
