import { parseArgs } from "node:util";
import { z } from "zod";
import { parseByteSize } from "../shared/byte_size.ts";
import { DEFAULT_MAX_PIXELS } from "../shared/image/image.ts";
import { RUNTIMES } from "./workers/runtimes.ts";

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

/** "256MB", "1.5GiB" or bytes, as they arrive from flags and variables. */
const ByteSize = z.string().transform((text, context) => {
  const bytes = parseByteSize(text);
  if (bytes !== undefined) return bytes;
  context.addIssue({ code: "custom", message: 'expected a size such as "256MB" or "1GiB"' });
  return z.NEVER;
});

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
    value: "NAMES",
    reason:
      "models to serve, separated by commas, the first is the one that answers when a request " +
      "names none; all of the store's when left out",
  }),
  version: z.string().min(1).optional().register(settings, {
    flag: "model-version",
    env: "TOPFIVE_MODEL_VERSION",
    value: "VERSION",
    reason: "version to serve; the champion when left out, or the latest where none was promoted",
  }),
  variant: z.string().min(1).optional().register(settings, {
    flag: "variant",
    env: "TOPFIVE_VARIANT",
    value: "NAME",
    reason:
      "form of the weights to serve, such as int8 or original; the most faithful that fits the " +
      "memory when left out",
  }),
  memory: ByteSize.optional().register(settings, {
    flag: "memory",
    env: "TOPFIVE_MEMORY",
    value: "SIZE",
    reason:
      "memory that the service may take, such as 256MB, shared equally by its models: decides the " +
      "variant; the limit of its container when left out, and no limit where there is none. A " +
      "version that takes another's place is loaded beside it and needs its own memory for a moment",
  }),
  runtime: z.enum(["auto", ...RUNTIMES]).default("auto").register(settings, {
    flag: "runtime",
    env: "TOPFIVE_RUNTIME",
    value: "NAME",
    reason:
      "engine that runs the networks: lean is small and starts fast, onnxruntime-web runs any " +
      "ONNX file, onnxruntime-node (./topfive add onnxruntime-node) too, in native code; auto takes " +
      "the lean one for each network whose operators it has, else onnxruntime-web",
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
  threads: wholeNumber(1, 64).default(Math.min(4, navigator.hardwareConcurrency)).register(
    settings,
    {
      flag: "threads",
      env: "TOPFIVE_THREADS",
      value: "COUNT",
      reason:
        "threads that compute a run together, over one copy of the weights; a second one halves the " +
        "time of an answer, where a second network beside the first took up to 1.6 times the memory",
    },
  ),
  maxBodyBytes: wholeNumber(1, 2 ** 30).default(10_000_000).register(settings, {
    flag: "max-body",
    env: "TOPFIVE_MAX_BODY",
    value: "BYTES",
    reason: "largest request body; photographs of phones have 2 to 8 million",
  }),
  bodySeconds: wholeNumber(1, 3600).default(60).register(settings, {
    flag: "body-timeout",
    env: "TOPFIVE_BODY_TIMEOUT",
    value: "SECONDS",
    reason:
      "longest time for a body to arrive; 60 let a photograph of 5 million bytes through at " +
      "0.7 Mbit/s, and end those that drip to hold a connection",
  }),
  maxPixels: wholeNumber(1, 2 ** 28).default(DEFAULT_MAX_PIXELS).register(settings, {
    flag: "max-pixels",
    env: "TOPFIVE_MAX_PIXELS",
    value: "COUNT",
    reason: "most pixels of an image, by its header, before anything is decoded; 50 megapixels " +
      "are the largest common sensor, and take 200 MB while they are decoded",
  }),
  fetchHosts: z.string().default("").register(settings, {
    flag: "fetch-hosts",
    env: "TOPFIVE_FETCH_HOSTS",
    value: "HOST,…",
    reason: "hosts at whose https addresses images may lie that clients name by url: " +
      "images.example.org, or *.example.org for all below it; none by default, and never one at a " +
      "private address",
  }),
  queueCapacity: wholeNumber(1, 10_000).default(32).register(settings, {
    flag: "queue",
    env: "TOPFIVE_QUEUE",
    value: "IMAGES",
    reason: "images waiting or running before the service answers 503; at 30 to 100 ms each the " +
      "last one waits 1 to 3 seconds",
  }),
  decoders: wholeNumber(1, 64).default(2).register(settings, {
    flag: "decoders",
    env: "TOPFIVE_DECODERS",
    value: "COUNT",
    reason: "workers that decode images; one of 50 megapixels needs 500 MB in each",
  }),
  maxBatch: wholeNumber(1, 256).default(8).register(settings, {
    flag: "max-batch",
    env: "TOPFIVE_MAX_BATCH",
    value: "IMAGES",
    reason: "images of one run; AlexNet gains nothing above 8, and each waits for the whole batch",
  }),
  maxDelayMs: wholeNumber(0, 1000).default(1).register(settings, {
    flag: "max-delay",
    env: "TOPFIVE_MAX_DELAY",
    value: "MS",
    reason:
      "how long an image waits for company when nothing runs; under load batches gather anyway",
  }),
  deadlineSeconds: wholeNumber(1, 3600).default(10).register(settings, {
    flag: "deadline",
    env: "TOPFIVE_DEADLINE",
    value: "SECONDS",
    reason:
      "longest time for one request, and for one decoding or run: a worker that takes longer " +
      "is ended and replaced",
  }),
  cacheEntries: wholeNumber(0, 1_000_000).default(1000).register(settings, {
    flag: "cache",
    env: "TOPFIVE_CACHE",
    value: "ANSWERS",
    reason: "answers kept for identical images, about 1 kB each; 0 keeps none",
  }),
  weightsCache: z.string().min(1).optional().register(settings, {
    flag: "weights-cache",
    env: "TOPFIVE_WEIGHTS_CACHE",
    value: "FOLDER",
    reason: "keeps the weights of a bucket in this folder, by their hash, so that the next start " +
      "reads them from the disk; the process may write there and nowhere else. None is kept when " +
      "left out",
  }),
  weightsCacheBytes: ByteSize.default(2_000_000_000).register(settings, {
    flag: "weights-cache-size",
    env: "TOPFIVE_WEIGHTS_CACHE_SIZE",
    value: "SIZE",
    reason: "bytes of weights that stay in the folder; eight AlexNets in float32, the least " +
      "recently used go first",
  }),
  pollSeconds: wholeNumber(0, 86_400).default(30).register(settings, {
    flag: "poll",
    env: "TOPFIVE_POLL",
    value: "SECONDS",
    reason: "how often the store is asked whether another version was promoted; 0 never asks",
  }),
  maxModelBytes: wholeNumber(1, 2 ** 31).default(1_000_000_000).register(settings, {
    flag: "max-model",
    env: "TOPFIVE_MAX_MODEL",
    value: "BYTES",
    reason:
      "largest file of weights that is loaded; AlexNet has 244 million, and running it needs " +
      "five times as much memory",
  }),
  apiKeys: z.string().default("").register(settings, {
    flag: "api-keys",
    env: "TOPFIVE_API_KEYS",
    value: "NAME:SCOPE:SHA256,…",
    reason:
      "keys that may ask, the scope classify, feedback (classify, and corrections of answers), " +
      "metrics (/metrics alone) or admin (all, and loading and unloading models); topfive api-key " +
      "makes one. Without any, everybody may ask, on this machine alone",
  }),
  requireSignature: z.string().default("").register(settings, {
    flag: "require-signature",
    env: "TOPFIVE_REQUIRE_SIGNATURE",
    value: "KEYS",
    reason: "public keys of which one must have signed a version, separated by commas, or files " +
      "with one a line; topfive models key prints them. Any version is served without",
  }),
  open: z.stringbool().default(false).register(settings, {
    flag: "open",
    env: "TOPFIVE_OPEN",
    reason: "answer everybody's images without a key, from other machines too; keys are then for " +
      "what else there is (metrics, feedback, models)",
  }),
  requestsPerMinute: wholeNumber(0, 1_000_000).default(0).register(settings, {
    flag: "rate-limit",
    env: "TOPFIVE_RATE_LIMIT",
    value: "PER-MINUTE",
    reason: "requests a minute of each key, or of each address where there is none; 0 is no limit",
  }),
  trustedProxies: wholeNumber(0, 10).default(0).register(settings, {
    flag: "trusted-proxies",
    env: "TOPFIVE_TRUSTED_PROXIES",
    value: "COUNT",
    reason: "proxies in front of the service whose X-Forwarded-For is believed",
  }),
  corsOrigins: z.string().default("").register(settings, {
    flag: "cors",
    env: "TOPFIVE_CORS",
    value: "ORIGIN,…",
    reason:
      "origins whose pages may ask from a browser, * for all; none but the own page by default",
  }),
  drainSeconds: wholeNumber(0, 3600).default(10).register(settings, {
    flag: "drain",
    env: "TOPFIVE_DRAIN",
    value: "SECONDS",
    reason: "time that open requests have to end after SIGTERM or SIGINT; Kubernetes waits 30",
  }),
  feedback: z.stringbool().default(false).register(settings, {
    flag: "feedback",
    env: "TOPFIVE_FEEDBACK",
    reason: "keep images with the label that a person says is right (POST /v1/feedback), in the " +
      "store below incoming/, where retraining finds them; the images are kept as they come, with " +
      "whatever a camera wrote into them. Nothing is kept otherwise",
  }),
  newLabels: z.stringbool().default(false).register(settings, {
    flag: "feedback-new-labels",
    env: "TOPFIVE_FEEDBACK_NEW_LABELS",
    reason: "take labels in feedback that the model does not know",
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
