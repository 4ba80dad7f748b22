import { z } from "zod";
import type { ObjectStore } from "../../../shared/object_store/object_store.ts";
import { openStore } from "../../../shared/object_store/open_store.ts";
import { parse } from "../../../shared/manifest.ts";
import type { CanarySetting } from "../../../shared/registry/canary.ts";
import { moveAlias } from "../../../shared/registry/move_alias.ts";
import { type Pointer, readPointer } from "../../../shared/registry/pointer.ts";
import { type CanaryPolicy, CanaryPolicySchema } from "../../pipeline/canary/policy.ts";
import { describe, watchCanary } from "../../pipeline/canary/watch_canary.ts";
import { requireConditionalWrites } from "../../registry/conditional_writes.ts";
import { currentUser } from "../../registry/who.ts";
import { readArguments } from "../arguments.ts";
import { runCommand } from "../command.ts";
import { requireStore, requireWords, STORE_HELP } from "./store_option.ts";

/** Where the services ask for one. */
const KEY_VARIABLE = "TOPFIVE_API_KEY";
/** The candidate was taken back: nothing went wrong, and nothing was promoted. */
const TAKEN_BACK = 3;

const HELP = `Has a candidate meet real requests beside the champion

Usage: topfive models canary NAME (--share S | --shadow | --stop) --store STORE [--version V]

  --share S      the candidate answers this share of the images (0.1), the same ones each time
  --shadow       it answers nobody, and is asked too where the services have time for it
  --stop         requests meet the champion alone again
  --version V    the candidate; what the alias candidate names when left out
  --watch URLS   looks at these services (separated by commas), then promotes the candidate or takes
                 it back; ${KEY_VARIABLE} holds their API key
  --policy FILE  JSON with what the candidate must show (see below)
  --reason TEXT  why, for the history
  --by NAME      who, for the history (default: user@machine)
  ${STORE_HELP}
  --json         the new pointer, or with --watch the outcome, as JSON

Running services follow within their polling time, and say what they see at
/v2/models/NAME/canary. Only POST /v1/classify and /hf/NAME share images out; whoever names a version
gets that one.

The policy, with its defaults:
${policyHelp()}

Exit codes: 0 done, with --watch promoted; 1 an error; 2 wrong arguments; ${TAKEN_BACK} taken back.

Examples
  topfive models canary shapes --share 0.1 --store store
  topfive models canary shapes --shadow --store store --watch http://127.0.0.1:8000
  topfive models canary shapes --stop --store store --reason "users complained"`;

function policyHelp(): string {
  const defaults = CanaryPolicySchema.parse({});
  return Object.entries(CanaryPolicySchema.shape).map(([name, schema]) =>
    `  ${name} (${defaults[name as keyof CanaryPolicy]}): ${
      z.globalRegistry.get(schema)?.description
    }`
  ).join("\n");
}

interface Given {
  readonly name: string;
  readonly store: string;
  /** Null stops it. */
  readonly setting: CanarySetting | null;
  readonly version: string | undefined;
  readonly watch: readonly string[];
  readonly policy: string | undefined;
  readonly by: string;
  readonly reason: string;
  readonly json: boolean;
}

export function modelsCanaryCommand(args: readonly string[]): Promise<number> {
  return runCommand({ name: "models canary", help: () => HELP, read, run }, args);
}

function read(args: readonly string[]): Given {
  const { options, positionals } = readArguments("set canary", args, {
    ...{ share: "value", shadow: "switch", stop: "switch", version: "value", watch: "value" },
    ...{ policy: "value", reason: "value", by: "value", store: "value", json: "switch" },
  });
  const [name] = requireWords("set canary", ["NAME"], positionals);
  const setting = readSetting(options);
  const watch = (options.watch ?? "").split(",").filter(Boolean);
  if (watch.length > 0 && setting === null) {
    throw new SyntaxError("Cannot set canary: --stop leaves nothing to --watch");
  }
  for (const url of watch) {
    if (!URL.canParse(url)) {
      throw new SyntaxError(`Cannot set canary: --watch ${url} is no address`);
    }
  }
  const { version, policy, by = currentUser(), reason = "", json = false } = options;
  const store = requireStore("set canary", options.store);
  return { name, store, setting, version, watch, policy, by, reason, json };
}

function readSetting(
  { share, shadow, stop }: { share?: string; shadow?: boolean; stop?: boolean },
): CanarySetting | null {
  if ([share !== undefined, shadow, stop].filter(Boolean).length !== 1) {
    throw new SyntaxError("Cannot set canary: expected one of --share S, --shadow and --stop");
  }
  if (share === undefined) return stop ? null : { mode: "shadow" };
  const value = Number(share);
  if (value > 0 && value < 1) return { mode: "share", share: value };
  throw new SyntaxError(
    `Cannot set canary: --share is ${share} (expected a number between 0 and 1)`,
  );
}

async function run(given: Given): Promise<number> {
  const { name, setting, by, watch, json } = given;
  const store = openStore(given.store);
  await requireConditionalWrites(store);
  const candidate = await readPointer(store, name, "candidate");
  const version = given.version ?? candidate?.version;
  if (version === undefined) {
    throw new RangeError(
      `Cannot set canary: ${name} has no candidate (name one with --version; topfive models list)`,
    );
  }
  if (watch.length > 0 && setting !== null) {
    const policy = given.policy === undefined
      ? CanaryPolicySchema.parse({})
      : parse("canary policy", CanaryPolicySchema, await Deno.readTextFile(given.policy));
    const apiKey = Deno.env.get(KEY_VARIABLE);
    const outcome = await watchCanary({
      ...{ store, name, version, setting, policy, by },
      services: watch.map((url) => ({ url, apiKey })),
      onProgress: (line) => console.error(line),
    });
    const text = `${outcome.promoted ? "promoted" : "taken back"}: ${outcome.reason}`;
    console.log(json ? JSON.stringify(outcome) : `${name} ${version} ${text}`);
    return outcome.promoted ? 0 : TAKEN_BACK;
  }
  const pointer = await setCanary(store, given, { version, candidate });
  const what = setting ? describe(setting) : "requests meet the champion alone";
  console.log(json ? JSON.stringify(pointer) : `candidate of ${name}: ${version}, ${what}`);
  return 0;
}

/** By compare-and-swap: what somebody else set meanwhile is not overwritten unseen. */
function setCanary(
  store: ObjectStore,
  { name, setting, by, reason }: Given,
  { version, candidate }: { readonly version: string; readonly candidate: Pointer | null },
): Promise<Pointer> {
  return moveAlias(store, name, "candidate", {
    ...{ version, by, reason: reason || (setting ? "canary begins" : "canary stopped") },
    ...{ from: candidate?.version ?? null, afterMove: candidate?.move ?? 0 },
    ...(setting ? { canary: setting } : {}),
  });
}
