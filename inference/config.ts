import { parseArgs } from "node:util";
import { z } from "zod";
import { DEFAULT_MAX_PIXELS } from "../shared/image/decode.ts";

/** What a setting is called outside, and why it is what it is. */
interface Setting {
  /** Command line flag without its dashes. */
  flag: string;
  /** Environment variable. */
  env: string;
  /** Placeholder and unit in the help; a switch has none. */
  value?: string;
  /** What it does and the reason of its default. */
  reason: string;
}

const settings = z.registry<Setting>();

/** Whole numbers as they arrive from flags and variables: as text. */
function wholeNumber(least: number, most: number) {
  return z.coerce.number().int().min(least).max(most);
}

const Config = z.object({
  store: z.string().min(1).default(".topfive/store").register(settings, {
    flag: "store",
    env: "TOPFIVE_STORE",
    value: "ADDRESS",
    reason: "object store with the published models: the folder that training publishes to, or " +
      "s3://bucket/prefix with the usual AWS variables",
  }),
  model: z.string().min(1).optional().register(settings, {
    flag: "model",
    env: "TOPFIVE_MODEL",
    value: "NAME",
    reason: "model to serve; may be left out where the store has exactly one",
  }),
  version: z.string().min(1).optional().register(settings, {
    flag: "model-version",
    env: "TOPFIVE_MODEL_VERSION",
    value: "VERSION",
    reason: "version to serve; the champion when left out, or the latest where none was promoted",
  }),
  host: z.string().min(1).default("127.0.0.1").register(settings, {
    flag: "host",
    env: "TOPFIVE_LISTEN_HOST",
    value: "ADDRESS",
    reason: "address to listen on; nobody but this machine until one says so",
  }),
  port: wholeNumber(0, 65535).default(8000).register(settings, {
    flag: "port",
    // Not TOPFIVE_PORT: Kubernetes sets that to "tcp://…" beside a Service named topfive.
    env: "TOPFIVE_LISTEN_PORT",
    value: "NUMBER",
    reason: "TCP port; 0 takes any free one",
  }),
  threads: wholeNumber(1, 64).default(1).register(settings, {
    flag: "threads",
    env: "TOPFIVE_THREADS",
    value: "COUNT",
    reason: "threads of one run; one leaves the other cores to other processes, two nearly halve " +
      "the time of a run",
  }),
  maxBodyBytes: wholeNumber(1, 2 ** 30).default(10_000_000).register(settings, {
    flag: "max-body",
    env: "TOPFIVE_MAX_BODY",
    value: "BYTES",
    reason: "largest request body; photographs of phones have 2 to 8 million",
  }),
  maxPixels: wholeNumber(1, 2 ** 28).default(DEFAULT_MAX_PIXELS).register(settings, {
    flag: "max-pixels",
    env: "TOPFIVE_MAX_PIXELS",
    value: "COUNT",
    reason: "most pixels of an image, by its header, before anything is decoded; 50 megapixels " +
      "are the largest common sensor, and take 200 MB while they are decoded",
  }),
  queueCapacity: wholeNumber(1, 10_000).default(32).register(settings, {
    flag: "queue",
    env: "TOPFIVE_QUEUE",
    value: "IMAGES",
    reason: "images waiting or running before the service answers 503; at 30 to 100 ms each the " +
      "last one waits 1 to 3 seconds",
  }),
  drainSeconds: wholeNumber(0, 3600).default(10).register(settings, {
    flag: "drain",
    env: "TOPFIVE_DRAIN",
    value: "SECONDS",
    reason: "time that open requests have to end after SIGTERM or SIGINT; Kubernetes waits 30",
  }),
  json: z.stringbool().default(false).register(settings, {
    flag: "json",
    env: "TOPFIVE_LOG_JSON",
    reason: "one JSON object a log line; plain text is for people, JSON for collectors",
  }),
});

/** The service's validated settings. */
export type Config = z.infer<typeof Config>;

const entries = Object.entries(Config.shape).map(([name, schema]) => ({
  name: name as keyof Config,
  schema,
  setting: settings.get(schema)!,
}));

/** Names of the variables that {@linkcode readConfig} asks for. */
export const ENVIRONMENT: readonly string[] = entries.map(({ setting }) => setting.env);

/**
 * Settings from flags, else from the environment, else from the defaults; an empty variable counts
 * as absent.
 * @throws {SyntaxError} when a flag is unknown, has no value or a value is not what it should be.
 */
export function readConfig(
  args: readonly string[],
  env: (name: string) => string | undefined,
): Config {
  const flags = readFlags(args);
  const given: Record<string, string> = {};
  for (const { name, setting } of entries) {
    const value = flags[setting.flag] ?? (env(setting.env) || undefined);
    if (value !== undefined) given[name] = String(value);
  }
  const result = Config.safeParse(given);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const { setting, name } = entries.find((entry) => entry.name === issue!.path[0])!;
  const source = flags[setting.flag] !== undefined ? `--${setting.flag}` : setting.env;
  throw new SyntaxError(
    `Cannot read ${source}: "${given[name]}" is not allowed, ${issue!.message} (see --help)`,
  );
}

function readFlags(args: readonly string[]): Record<string, string | boolean | undefined> {
  const options = Object.fromEntries(
    entries.map(({ setting }) => [
      setting.flag,
      { type: setting.value === undefined ? "boolean" as const : "string" as const },
    ]),
  );
  try {
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    throw new SyntaxError(
      `Cannot read the command line: ${(error as Error).message} (see --help)`,
      { cause: error },
    );
  }
}

/** One paragraph a setting: flag, unit, default, variable, reason. */
export function describeSettings(): string {
  const defaults = Config.parse({});
  return entries.map(({ name, setting: { flag, env, value, reason } }) => {
    const placeholder = value === undefined ? "" : ` ${value}`;
    const byDefault = defaults[name] === undefined ? "" : `, default ${defaults[name]}`;
    return `  --${flag}${placeholder}  (${env}${byDefault})\n      ${wrap(reason, 80)}`;
  }).join("\n");
}

function wrap(text: string, width: number): string {
  return text.replaceAll(new RegExp(`(.{1,${width}})(?: |$)`, "g"), "$1\n      ").trimEnd();
}
