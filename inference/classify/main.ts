import { parseArgs } from "node:util";
import { openStore } from "../../shared/object_store/open_store.ts";
import { type Classification, Classifier } from "../classifier.ts";
import { TopfiveClient } from "../client.ts";
import { createLog } from "../log.ts";
import { ModelHost } from "../models/model_host.ts";
import { parseQuery } from "../routes/classify_query.ts";
import { DecodePool } from "../workers/decode_pool.ts";

const HELP = `Names what images show, by a service or by a model of a store on this machine

Usage: topfive classify IMAGE… [--url URL | --store STORE] [options]

  --url URL          a running service, such as http://127.0.0.1:8000; its key from TOPFIVE_KEY
  --store STORE      a folder, or s3://bucket/prefix (default: .topfive/store)
  --model NAME       the model, where there are several
  --model-version V  a version other than the live one
  --top K            labels an image (default 5)
  --views 10         average corners, centre and their reflections
  --json             one JSON object an image and line

Examples
  topfive classify photo.jpg
  topfive classify *.jpg --url http://127.0.0.1:8000 --top 1`;

const OPTIONS = {
  url: { type: "string" },
  store: { type: "string", default: ".topfive/store" },
  model: { type: "string" },
  "model-version": { type: "string" },
  top: { type: "string" },
  views: { type: "string" },
  json: { type: "boolean", default: false },
} as const;

const MAX_PIXELS = 8192 * 6144;

/** Classifies one file's bytes; ends with `close`. */
interface Asker {
  ask(image: Uint8Array<ArrayBuffer>): Promise<Classification>;
  close(): Promise<void>;
}

function read(args: readonly string[]) {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: OPTIONS,
    allowPositionals: true,
  });
  if (positionals.length === 0) throw new SyntaxError("Cannot classify: expected an image file");
  const { top, model, views } = values;
  const query = parseQuery({ top, model, views, version: values["model-version"] });
  return { ...values, query, files: positionals };
}

type Given = ReturnType<typeof read>;

function remote({ query }: Given, url: string): Asker {
  const key = Deno.env.get("TOPFIVE_KEY");
  const client = new TopfiveClient(url, key === undefined ? {} : { key });
  return { ask: (image) => client.classify(image, query), close: () => Promise.resolve() };
}

async function local({ query, store }: Given): Promise<Asker> {
  const decoders = new DecodePool({ workers: 1, milliseconds: 60_000 });
  const host = new ModelHost({
    store: openStore(store),
    address: store,
    models: query.model,
    version: query.version,
    maxModelBytes: Infinity,
    run: {
      runtime: "auto",
      threads: navigator.hardwareConcurrency,
      maxBatch: 8,
      maxDelayMs: 0,
      runMs: 600_000,
    },
    decoders,
    log: createLog({ json: false, write: () => {} }),
  });
  const close = async () => {
    await host.close();
    decoders.close();
  };
  try {
    await host.start();
  } catch (error) {
    await close();
    throw error;
  }
  const bounds = { queueCapacity: 1, maxPixels: MAX_PIXELS, deadlineMs: 600_000, cacheEntries: 0 };
  const classifier = new Classifier({ ...bounds, host, decoders });
  return {
    ask: async (image) => (await classifier.classify(image, query)).classification,
    close,
  };
}

async function run(given: Given): Promise<number> {
  const asker = given.url === undefined ? await local(given) : remote(given, given.url);
  let failed = 0;
  try {
    for (const file of given.files) {
      try {
        print(given, file, await asker.ask(await Deno.readFile(file)));
      } catch (error) {
        failed++;
        console.error(`${file}: ${error instanceof Error ? error.message : error}`);
      }
    }
  } finally {
    await asker.close();
  }
  return failed === 0 ? 0 : 1;
}

function print({ json, files }: Given, file: string, answer: Classification): void {
  if (json) return console.log(JSON.stringify({ file, ...answer }));
  if (files.length > 1) console.log(`${file}:`);
  for (const { label, probability } of answer.predictions) {
    console.log(`${(100 * probability).toFixed(1).padStart(5)} %  ${label}`);
  }
}

/** Exit code: 0, 1 when an image has no answer, 2 when the command line cannot be read. */
export async function classifyCommand(args: readonly string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(HELP);
    return 0;
  }
  let given: Given;
  try {
    given = read(args);
  } catch (error) {
    console.error(`topfive: ${(error as Error).message}\nTry: topfive classify --help`);
    return 2;
  }
  try {
    return await run(given);
  } catch (error) {
    console.error(`topfive: ${error instanceof Error ? error.message : error}`);
    return 1;
  }
}

if (import.meta.main) Deno.exit(await classifyCommand(Deno.args));
