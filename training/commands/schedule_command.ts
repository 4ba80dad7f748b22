import { join, resolve } from "node:path";
import { parseSafeName } from "../../shared/manifest.ts";
import { openStore } from "../../shared/object_store/open_store.ts";
import { type ArrivalRules, Arrived } from "../pipeline/schedule/arrived.ts";
import { type Clock, runSchedule, type ScheduleEvent } from "../pipeline/schedule/run_schedule.ts";
import { Windows } from "../pipeline/schedule/windows.ts";
import { ProgressLine } from "../progress.ts";
import { currentUser } from "../registry/who.ts";
import { readArguments } from "./arguments.ts";
import { runCommand } from "./command.ts";
import { parseDuration } from "./duration.ts";
import { readRetrainArguments, type RetrainGiven } from "./retrain_options.ts";
import { stopSignal } from "./stop_signal.ts";

/** The start script: it gives a retraining its own rights. */
const TOPFIVE = resolve(import.meta.dirname!, "../../topfive");

const HELP = `Retrains at the times of a schedule, and when enough new images came

Usage: topfive schedule MODEL --store STORE --cron EXPRESSION [options] [-- RETRAIN'S OPTIONS]

  MODEL             the model's name in the store
  --store STORE     a folder, or s3://bucket/prefix with the usual AWS variables
  --cron EXPRESSION minute, hour, day, month and weekday, as in cron: "0 3 * * *"
  --time-zone ZONE  whose clocks are meant, such as Europe/Vienna (UTC). A time that summer time
                    leaves out is that of the change; one that comes twice counts once
  --catch-up D      windows that passed while no schedule ran are one run, unless they passed longer
                    ago than this (24h; 0: never)
  --jitter D        a run waits a random part of this after its window (0)
  --new-images N    retrain as well when so many images came since the last run
  --drift           retrain as well when new images look otherwise than the known ones
  --watch-every D   how often --new-images and --drift are looked at (5m)
  --once            do what is due now and end, for cron, systemd timers and CronJobs
  --json            one JSON line an event, with the outcome of each retraining

Durations are numbers with s, m, h or d. One retraining at a time: windows that pass meanwhile are
one run afterwards. What was done is kept in the store, so a schedule can move to another machine;
of several, each window is one's. Ctrl-C and SIGTERM stop a retraining where it can go on, and it does
at the next start.

Exit codes: 0 stopped; 1 an error; 2 wrong arguments; with --once that of topfive retrain, or 0 where
nothing was due.

A service on Deno Deploy cannot train: it calls an address by Deno.cron (TOPFIVE_RETRAIN_URL, see
topfive serve), behind which a machine with this command or topfive retrain stands.

Examples
  topfive schedule pets --store s3://models --cron "0 3 * * SUN" --time-zone Europe/Vienna
  topfive schedule pets --store store --cron "0 3 * * *" --new-images 500 --drift -- --epochs 30
  topfive schedule pets --store store --cron "0 * * * *" --once`;

interface Given {
  readonly windows: Windows;
  readonly catchUpMs: number;
  readonly jitterMs: number;
  readonly watchMs: number;
  readonly rules: ArrivalRules;
  readonly once: boolean;
  readonly json: boolean;
  readonly retrainArgs: readonly string[];
  readonly retrain: RetrainGiven;
}

export function scheduleCommand(args: readonly string[]): Promise<number> {
  return runCommand({ name: "schedule", help: () => HELP, read, run }, args);
}

function read(args: readonly string[]): Given {
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  const { options, positionals: [model, ...others] } = readArguments(
    "schedule",
    args.slice(0, end),
    {
      ...{ store: "value", cron: "value", "time-zone": "value", "catch-up": "value" },
      ...{ jitter: "value", "new-images": "value", drift: "switch", "watch-every": "value" },
      ...{ once: "switch", json: "switch" },
    },
  );
  const { store, cron, json = false, once = false, drift = false } = options;
  if (model === undefined || others.length > 0 || store === undefined || cron === undefined) {
    throw new SyntaxError(
      "Cannot schedule: expected one MODEL, --store STORE and --cron EXPRESSION",
    );
  }
  parseSafeName("model name", model);
  const duration = (name: "catch-up" | "jitter" | "watch-every", byDefault: string) =>
    parseDuration("schedule", `--${name}`, options[name] ?? byDefault);
  const retrainArgs = [
    model,
    "--store",
    store,
    ...args.slice(end + 1),
    ...(json ? ["--json"] : []),
  ];
  return {
    windows: new Windows(cron, options["time-zone"] ?? "UTC"),
    catchUpMs: duration("catch-up", "24h"),
    jitterMs: duration("jitter", "0"),
    watchMs: Math.max(1000, duration("watch-every", "5m")),
    rules: { newImages: readNewImages(options["new-images"]), drift },
    ...{ once, json, retrainArgs },
    // What retrain will refuse is refused now, and not at three in the morning.
    retrain: readRetrainArguments(retrainArgs),
  };
}

function readNewImages(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new SyntaxError(
    `Cannot schedule: --new-images is ${text} (expected a whole number, at least 1)`,
  );
}

async function run(given: Given): Promise<number> {
  const { windows, catchUpMs, jitterMs, watchMs, rules, once, json, retrain } = given;
  const { model, settings } = retrain;
  const log = logger(json);
  using stop = stopSignal(() => log({ event: "stopping" }));
  const { signal } = stop;
  const store = openStore(retrain.store);
  const work = resolve(retrain.work ?? join(".topfive", "retrain", model));
  await Deno.mkdir(work, { recursive: true });
  const line = new ProgressLine();
  const arrived = new Arrived({ store, model, settings, work, line, signal, rules });
  const exitCode = await runSchedule({
    ...{ store, model, windows, catchUpMs, jitterMs, watchMs, once, signal, log },
    look: rules.newImages !== null || rules.drift ? () => arrived.look() : undefined,
    retrain: () => runRetrain(given, signal, log),
    by: currentUser(),
    clock: CLOCK,
  });
  return once && !signal.aborted ? exitCode : 0;
}

/** In a process of its own, that a signal to this one is passed on to. */
async function runRetrain(
  { retrainArgs, json }: Given,
  signal: AbortSignal,
  log: Log,
): Promise<number> {
  const child = new Deno.Command(TOPFIVE, {
    args: ["retrain", ...retrainArgs],
    stdin: "null",
    stdout: json ? "piped" : "inherit",
    stderr: "inherit",
  }).spawn();
  const stop = () => {
    try {
      child.kill("SIGTERM");
    } catch {
      // It has ended in this moment.
    }
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    const output = json ? await new Response(child.stdout).text() : "";
    const { code } = await child.status;
    const outcome = output.trim().split("\n").at(-1);
    if (outcome) log({ event: "outcome", retrained: parseOutcome(outcome) });
    return code;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function parseOutcome(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

type Log = (
  event: ScheduleEvent | { event: "stopping" } | { event: "outcome"; retrained: unknown },
) => void;

function logger(json: boolean): Log {
  return (event) => {
    const time = new Date().toISOString();
    if (json) return console.log(JSON.stringify({ time, ...event }));
    const { event: name, ...fields } = event;
    const pairs = Object.entries(fields).map(([key, value]) => `  ${key}: ${value}`);
    console.log(`${time.slice(0, 19).replace("T", " ")}  ${name}${pairs.join("")}`);
  };
}

const CLOCK: Clock = {
  now: () => new Date(),
  random: Math.random,
  sleep(milliseconds, signal) {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (signal.aborted || milliseconds <= 0) return Promise.resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done, { once: true });
    return promise;
  },
};
