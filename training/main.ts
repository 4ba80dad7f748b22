// The offline half of topfive: data, training, evaluation, export, publishing.
import { nearestName } from "./nearest_name.ts";
import { compressCommand } from "./commands/compress_command.ts";
import { dataFetchCommand } from "./commands/data_fetch_command.ts";
import { dataMakeCommand } from "./commands/data_make_command.ts";
import { dataShowCommand } from "./commands/data_show_command.ts";
import { dataStatsCommand } from "./commands/data_stats_command.ts";
import { evaluateCommand } from "./commands/evaluate_command.ts";
import { explainCommand } from "./commands/explain_command.ts";
import { exportCommand } from "./commands/export_command.ts";
import { modelsCommand } from "./commands/models_command.ts";
import { gradcheckCommand } from "./commands/gradcheck_command.ts";
import { planCommand } from "./commands/plan_command.ts";
import { prepareCommand } from "./commands/prepare_command.ts";
import { publishCommand } from "./commands/publish_command.ts";
import { runGroup } from "./commands/subcommands.ts";
import { retrainCommand } from "./commands/retrain_command.ts";
import { scheduleCommand } from "./commands/schedule_command.ts";
import { reportCommand } from "./commands/report_command.ts";
import { trainCommand } from "./commands/train_command.ts";
import { tuneCommand } from "./commands/tune_command.ts";
import { VERSION } from "./version.ts";

type Command = (args: readonly string[]) => Promise<number>;

const COMMANDS: Readonly<Record<string, Command>> = {
  train: trainCommand,
  evaluate: evaluateCommand,
  report: reportCommand,
  explain: explainCommand,
  gradcheck: gradcheckCommand,
  export: exportCommand,
  compress: compressCommand,
  publish: publishCommand,
  models: modelsCommand,
  retrain: retrainCommand,
  schedule: scheduleCommand,
  plan: planCommand,
  prepare: prepareCommand,
  tune: tuneCommand,
  data: dataCommand,
  version: printVersion,
  "--version": printVersion,
};
/** Those that the start script runs itself; here only to be guessed at. */
const OTHERS = [
  "demo",
  "test",
  "doctor",
  "serve",
  "import",
  "classify",
  "try",
  "check",
  "ok",
  "help",
];

function printVersion(): Promise<number> {
  console.log(VERSION);
  return Promise.resolve(0);
}

function dataCommand(args: readonly string[]): Promise<number> {
  return runGroup({
    name: "data",
    summary: "Makes, downloads and inspects image sets",
    commands: {
      make: { run: dataMakeCommand, summary: "draw a labelled set to try things on" },
      fetch: { run: dataFetchCommand, summary: "download a published set, checked" },
      stats: { run: dataStatsCommand, summary: "counts by class, colours, warnings" },
      show: { run: dataShowCommand, summary: "a contact sheet of what a network will see" },
    },
  }, args);
}

if (import.meta.main) {
  const [name = "", ...args] = Deno.args;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command) {
    Deno.exit(await command(args));
  }
  const names = Object.keys(COMMANDS).filter((known) => !known.startsWith("-"));
  const nearest = nearestName(name, [...names, ...OTHERS]);
  const hint = nearest === undefined ? `expected ${names.join(", ")}` : `did you mean ${nearest}?`;
  console.error(
    `topfive: ${JSON.stringify(name)} is not a command (${hint}; ./topfive --help lists all)`,
  );
  Deno.exit(2);
}
