import { type Checkpoint, readCheckpoint } from "./checkpoint/checkpoint.ts";
import { type CheckpointName, findCheckpoint } from "./checkpoint/checkpoint_folder.ts";
import { type Config, type GivenSettings, makeConfig } from "./config.ts";
import type { Dataset } from "./dataset/dataset.ts";
import type { Gpu } from "./gpu/device.ts";
import { readRun, type Run } from "./run_folder.ts";
import { learningRateAt } from "./schedule.ts";
import { optionOf, SETTING_NAMES, type SettingName } from "./settings.ts";
import { VERSION } from "./version.ts";

/** What a user asks of a training to go on with. */
export interface OldTraining {
  readonly from: CheckpointName;
  /** Settings that were given all the same: they must be those of the run, with few exceptions. */
  readonly settings: GivenSettings;
  /** Where the data lies by now. */
  readonly data: string | undefined;
}

/** A run to go on with, and how. */
export interface Resumption {
  readonly run: Run;
  /** The run's, with what may be changed. */
  readonly config: Config;
  readonly data: string;
  /** Null where the run was stopped before its first one: it begins anew. */
  readonly checkpoint: Checkpoint | null;
}

/** More epochs are more of the same; parts of a batch change the order of sums alone. */
const CHANGEABLE: readonly SettingName[] = ["epochs", "microBatch"];

/**
 * @throws {Error} where the run and the checkpoint or the given settings do not belong together.
 * @throws {SyntaxError} where one of them is damaged, with the way out.
 */
export async function openOldTraining(folder: string, old: OldTraining): Promise<Resumption> {
  const run = await readRun(folder);
  const { model, ...settings } = run.config;
  const given = Object.entries(old.settings).filter(([, value]) => value !== undefined);
  const config = makeConfig(model, { ...settings, ...Object.fromEntries(given) });
  const changed = differences(run.config, config);
  if (changed.length > 0) {
    const what = changed.map((name) =>
      `--${optionOf(name)} is ${config[name]}, the run's is ${run.config[name]}`
    );
    throw new Error(`Cannot resume ${folder}: ${what.join("; ")} (train anew with --out)`);
  }
  const data = old.data ?? run.data.source;
  if (data === undefined) throw new Error(`Cannot resume ${folder}: --data is missing`);
  const checkpoint = await readOwnCheckpoint(folder, run, old);
  return { run, config, data, checkpoint };
}

async function readOwnCheckpoint(
  folder: string,
  run: Run,
  { from }: OldTraining,
): Promise<Checkpoint | null> {
  const path = await findCheckpoint(folder, from);
  if (path === null) return null;
  let checkpoint: Checkpoint;
  try {
    checkpoint = await readCheckpoint(path);
  } catch (error) {
    if (from !== "latest") throw error;
    const { message } = error as Error;
    const hint = `the one before: ./topfive train --resume ${folder} --from previous`;
    throw new Error(`${message} (${hint})`, { cause: error });
  }
  const { config, dataFingerprint } = checkpoint.origin;
  const refuse = (reason: string) => new Error(`Cannot resume ${folder} from ${path}: ${reason}`);
  if (config.model !== run.config.model) {
    throw refuse(`it is of ${config.model}, the run is of ${run.config.model}`);
  }
  const changed = differences(run.config, config).map((name) =>
    `${name} ${JSON.stringify(config[name])}, the run with ${JSON.stringify(run.config[name])}`
  );
  if (changed.length > 0) throw refuse(`it was trained with ${changed.join("; ")}`);
  if (dataFingerprint !== run.data.fingerprint) throw refuse("it was trained on other data");
  return checkpoint;
}

function differences(a: Config, b: Config): SettingName[] {
  return SETTING_NAMES.filter((name) =>
    !CHANGEABLE.includes(name) && JSON.stringify(a[name]) !== JSON.stringify(b[name])
  );
}

/** @throws {Error} where the data is no longer what the run was trained on. */
export function requireSameData(folder: string, run: Run, dataset: Dataset, data: string): void {
  const [then, now] = [run.data.fingerprint, dataset.fingerprint];
  if (then === now) return;
  const short = (text: string) => text.slice(0, 12);
  throw new Error(
    `Cannot resume ${folder}: the images in ${data} are not those it was trained on ` +
      `(fingerprint ${short(now)}, expected ${short(then)}; name the folder with --data)`,
  );
}

/** What the user should know: where the run goes on, and what keeps it from ending the same. */
export function resumptionNotes(old: Resumption, gpu: Gpu, dataset: Dataset): string[] {
  const { run, config, checkpoint } = old;
  const step = checkpoint?.state.step ?? 0;
  const lines = [checkpoint ? `going on after step ${step}` : "no checkpoint yet: begins anew"];
  if (run.adapter !== gpu.description) {
    lines.push(`warning: begun on ${run.adapter}: sums are rounded otherwise here`);
  }
  if (run.codeVersion !== VERSION) {
    lines.push(`warning: begun by version ${run.codeVersion}, this is ${VERSION}`);
  }
  if (run.config.microBatch !== config.microBatch) {
    lines.push("warning: another --micro-batch adds up in another order, to other roundings");
  }
  if (changesPast(run.config, config, dataset, step)) {
    lines.push(
      `warning: with ${config.epochs} epochs from the start, the ${config.schedule} schedule would ` +
        `have had other rates before step ${step}: this is not the run that they would have made`,
    );
  }
  return lines;
}

/** Whether steps that are done would have had another rate under the changed config. */
function changesPast(was: Config, now: Config, { train }: Dataset, step: number): boolean {
  const scheduleOf = (config: Config) => ({
    ...config,
    name: config.schedule,
    totalSteps: config.epochs * Math.floor(train.count / config.batchSize),
  });
  const [before, after] = [scheduleOf(was), scheduleOf(now)];
  for (let at = 0; at < step; at++) {
    if (learningRateAt(before, at) !== learningRateAt(after, at)) return true;
  }
  return false;
}
