import { z } from "zod";
import { GatePolicySchema } from "../pipeline/gate/policy.ts";
import { FEWEST_THAT_STOP, ImageRulesSchema } from "../pipeline/images/rules.ts";
import { makeSettings, type RetrainSettings } from "../pipeline/settings.ts";
import { type OptionKind, readArguments } from "./arguments.ts";

const DEFAULTS = { leaseSeconds: 120, checkpointMinutes: 5 };

export const RETRAIN_HELP =
  `Trains a model anew on what came into its bucket, and lets only a better one go live

Usage: topfive retrain MODEL --store STORE [options]

  MODEL                the model's name in the store
  --store STORE        a folder, or s3://bucket/prefix with the usual AWS variables

Images arrive in the same store: incoming/MODEL/<class>/photo.jpg, or incoming/MODEL/photo.jpg with
{"label": "<class>"} in incoming/MODEL/photo.json, which is written last. Each run finds what came,
went or changed; checks it; trains; measures candidate and champion on the same held-out images; tries
the candidate in the service; and promotes it, or keeps it as "candidate" with the reasons. A run that
was killed goes on where it was, on any machine: its state is in the store.

Options
  --model NAME         the network, as topfive train has them (default alexnet-small)
  --from WHERE         weights to begin with: champion (default; a new class adds a row), scratch
  --epochs N  --batch-size N  --learning-rate X  --side N  --seed N   as in topfive train
  --config FILE        all settings as JSON: {"training": {…}, "images": {…}, "gate": {…}, "trial": {…}}
  --key FILE           sign what is published (or TOPFIVE_SIGNING_KEY)
  --webhook URL        is told how it ended; signed with TOPFIVE_WEBHOOK_SECRET as Standard Webhooks
                       has it (or TOPFIVE_WEBHOOK)
  --work DIR           for what can be made again (default .topfive/retrain/MODEL)
  --checkpoint-minutes N   how often a training's checkpoint goes to the store (default ${DEFAULTS.checkpointMinutes}; 0: each
                       epoch)
  --lease-seconds N    how long the lease of a killed run keeps others away (default ${DEFAULTS.leaseSeconds})
  --restart            give up a run that was left unfinished
  --force              train also on images and settings that were judged before
  --dry-run            say what came and what is wrong with it; the store is left as it is
  --json               print the outcome as JSON

Settings of "images" (those that stop do so from ${FEWEST_THAT_STOP} images on; what else is found is a warning, and
the images that it names are left out)
${describe(ImageRulesSchema)}

Settings of "gate"
${describe(GatePolicySchema)}

Exit codes
  0  promoted, or nothing to do       3  refused by the gate       5  stopped by the images
  1  failed; the same command goes on 4  another process is at it  2  wrong arguments
  130, 143  stopped by Ctrl-C or SIGTERM; the same command goes on

Examples
  topfive retrain pets --store s3://models --epochs 30
  topfive retrain pets --store store --config pets.json --webhook https://example.org/hooks/topfive
  topfive retrain pets --store store --dry-run`;

export interface RetrainGiven {
  readonly model: string;
  readonly store: string;
  readonly settings: RetrainSettings;
  readonly keyFile: string | undefined;
  readonly webhookUrl: string | undefined;
  readonly work: string | undefined;
  readonly checkpointMinutes: number;
  readonly leaseSeconds: number;
  readonly restart: boolean;
  readonly force: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

const TRAINING = {
  epochs: "epochs",
  "batch-size": "batchSize",
  "learning-rate": "learningRate",
  side: "side",
  seed: "seed",
} as const;

const OPTIONS = {
  ...Object.fromEntries(Object.keys(TRAINING).map((name) => [name, "value"])) as Record<
    keyof typeof TRAINING,
    "value"
  >,
  store: "value",
  model: "value",
  from: "value",
  config: "value",
  key: "value",
  webhook: "value",
  work: "value",
  "checkpoint-minutes": "value",
  "lease-seconds": "value",
  restart: "switch",
  force: "switch",
  "dry-run": "switch",
  json: "switch",
} as const satisfies Record<string, OptionKind>;

/** @throws {SyntaxError} naming what is wrong and what was expected. */
export function readRetrainArguments(args: readonly string[]): RetrainGiven {
  const { options, positionals: [model, ...others] } = readArguments("retrain", args, OPTIONS);
  if (model === undefined || others.length > 0) throw refusal("expected one MODEL");
  const { store, from, key, webhook, work, restart, force, json } = options;
  if (store === undefined) throw refusal("--store is missing (a folder or s3://bucket/prefix)");
  const training = Object.fromEntries(
    Object.entries(TRAINING).map(([option, setting]) => [
      setting,
      options[option as keyof typeof TRAINING],
    ]),
  );
  const settings = makeSettings(options.config === undefined ? {} : readFile(options.config), {
    ...{ model: options.model, from, training },
  });
  return {
    ...{ model, store, settings, work },
    keyFile: key,
    webhookUrl: webhook,
    checkpointMinutes: numberOf(options, "checkpoint-minutes", 0) ?? DEFAULTS.checkpointMinutes,
    leaseSeconds: numberOf(options, "lease-seconds", 2) ?? DEFAULTS.leaseSeconds,
    restart: restart ?? false,
    force: force ?? false,
    dryRun: options["dry-run"] ?? false,
    json: json ?? false,
  };
}

function readFile(path: string): unknown {
  try {
    return JSON.parse(Deno.readTextFileSync(path));
  } catch (cause) {
    throw new SyntaxError(`Cannot retrain by ${path}: ${(cause as Error).message}`, { cause });
  }
}

function numberOf(
  options: Readonly<Record<string, string | boolean | undefined>>,
  name: string,
  least: number,
): number | undefined {
  const text = options[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isFinite(value) && value >= least) return value;
  throw refusal(`--${name} is ${text} (expected a number, at least ${least})`);
}

function refusal(reason: string): SyntaxError {
  return new SyntaxError(`Cannot retrain: ${reason}`);
}

/** A line a setting, with its default. */
function describe(schema: z.ZodObject): string {
  const defaults = schema.parse({}) as Record<string, unknown>;
  return Object.entries(schema.shape).map(([name, setting]) => {
    const description = descriptionOf(setting as z.ZodType);
    return `  ${name.padEnd(22)} ${description} (${JSON.stringify(defaults[name])})`;
  }).join("\n");
}

/** A default wraps the setting that has the description. */
function descriptionOf(setting: z.ZodType): string {
  const inner = setting instanceof z.ZodDefault ? setting.unwrap() as z.ZodType : null;
  return setting.description ?? (inner ? descriptionOf(inner) : "");
}
