import { join } from "node:path";
import { parseSafeName } from "../../shared/manifest.ts";
import { openStore } from "../../shared/object_store/open_store.ts";
import { foresee, type Foresight } from "../pipeline/foresee.ts";
import { LeaseHeldError } from "../pipeline/lease/lease.ts";
import { retrain, type Retrained } from "../pipeline/retrain.ts";
import type { Webhook } from "../pipeline/tell/tell.ts";
import { ProgressLine } from "../progress.ts";
import { currentUser } from "../registry/who.ts";
import { runCommand } from "./command.ts";
import { readRetrainArguments, RETRAIN_HELP, type RetrainGiven } from "./retrain_options.ts";
import { stopSignal } from "./stop_signal.ts";

/** See RETRAIN_HELP. */
const EXIT_CODES: Readonly<Record<Retrained["state"], number>> = {
  promoted: 0,
  nothing: 0,
  failed: 1,
  abandoned: 1,
  refused: 3,
  "bad-data": 5,
};
const LEASE_HELD = 4;

export function retrainCommand(args: readonly string[]): Promise<number> {
  return runCommand({ name: "retrain", help: () => RETRAIN_HELP, read, run }, args);
}

function read(args: readonly string[]): RetrainGiven & { readonly webhook: Webhook | null } {
  const given = readRetrainArguments(args);
  parseSafeName("model name", given.model);
  return { ...given, webhook: webhookOf(given) };
}

/** @throws {SyntaxError} where messages could not be signed. */
function webhookOf({ webhookUrl }: RetrainGiven): Webhook | null {
  const url = webhookUrl ?? Deno.env.get("TOPFIVE_WEBHOOK");
  if (!url) return null;
  if (!URL.canParse(url) || !/^https?:/.test(url)) {
    throw new SyntaxError("Cannot retrain: --webhook is no http or https address");
  }
  const secret = Deno.env.get("TOPFIVE_WEBHOOK_SECRET");
  if (secret) return { url, secret };
  throw new SyntaxError(
    "Cannot retrain: TOPFIVE_WEBHOOK_SECRET is not set, with which messages to --webhook are signed",
  );
}

async function run(given: ReturnType<typeof read>): Promise<number> {
  const { model, json, dryRun, keyFile } = given;
  const line = new ProgressLine();
  using stop = stopSignal(() => line.print("stopping; the same command goes on from here"));
  const store = openStore(given.store);
  const work = given.work ?? join(".topfive", "retrain", model);
  const options = {
    ...given,
    ...{ store, line, work: await absolute(work), signal: stop.signal, by: currentUser() },
    apiKey: Deno.env.get("TOPFIVE_API_KEY"),
    signingKey: keyFile === undefined
      ? Deno.env.get("TOPFIVE_SIGNING_KEY")
      : await Deno.readTextFile(keyFile),
  };
  try {
    if (dryRun) {
      const foresight = await foresee(options);
      line.end();
      console.log(json ? JSON.stringify(foresight) : describeForesight(foresight));
      return foresight.findings.some(({ stops }) => stops) ? EXIT_CODES["bad-data"] : 0;
    }
    const retrained = await retrain(options);
    line.end();
    console.log(json ? JSON.stringify(retrained) : describe(retrained));
    return EXIT_CODES[retrained.state];
  } catch (error) {
    line.end();
    if (stop.exitCode > 0) return stop.exitCode;
    if (!(error instanceof LeaseHeldError)) throw error;
    const { message, holder, until } = error;
    if (json) console.log(JSON.stringify({ state: "held", holder, until: until.toISOString() }));
    console.error(`topfive: ${message}`);
    return LEASE_HELD;
  }
}

async function absolute(folder: string): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  return await Deno.realPath(folder);
}

function describe({ state, run, worked, reasons }: Retrained): string {
  const title = worked ? `run ${run.run}: ${state}` : `nothing done: ${reasons[0]}`;
  return [title, ...reasons.slice(worked ? 0 : 1).map((reason) => `  ${reason}`)].join("\n");
}

function describeForesight(foresight: Foresight): string {
  const { unfinished, images, fresh, gone, unlabelled, classes, findings } = foresight;
  const lines = [
    ...(unfinished ? [`run ${unfinished} is unfinished and would be gone on with first`] : []),
    `${images} images, ${fresh} new, ${gone} gone, ${unlabelled.length} without a label`,
    ...classes.map(({ name, train, validation, test, fresh }) =>
      `  ${name}: ${train} training, ${validation} validation, ${test} test; ${fresh} new`
    ),
    ...findings.flatMap(({ stops, text, files }) => [
      `${stops ? "stops" : "warning"}: ${text}`,
      ...files.slice(0, 10).map(({ key, reason }) => `  ${key}: ${reason}`),
      ...(files.length > 10 ? [`  and ${files.length - 10} more`] : []),
    ]),
  ];
  return lines.join("\n");
}
