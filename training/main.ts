// The offline half of topfive: data, training, evaluation, export, publishing.
import { evaluateCommand } from "./commands/evaluate_command.ts";
import { exportCommand } from "./commands/export_command.ts";
import { planCommand } from "./commands/plan_command.ts";
import { publishCommand } from "./commands/publish_command.ts";
import { trainCommand } from "./commands/train_command.ts";
import { dataMakeCommand } from "./dataset/data_make_command.ts";
import { VERSION } from "./version.ts";

type Command = (args: string[]) => Promise<number>;

const COMMANDS: Readonly<Record<string, Command>> = {
  train: trainCommand,
  evaluate: evaluateCommand,
  export: exportCommand,
  publish: publishCommand,
  plan: planCommand,
  data: dataCommand,
  version: () => {
    console.log(VERSION);
    return Promise.resolve(0);
  },
};

async function dataCommand([name, ...args]: string[]): Promise<number> {
  if (name === "make") return await dataMakeCommand(args);
  const asked = name === "--help" || name === "-h";
  const usage = "Usage: topfive data make DIR [options]   (topfive data make --help)";
  if (asked) console.log(usage);
  else console.error(`topfive data: ${name ?? "no command"}: expected make\n${usage}`);
  return asked ? 0 : 2;
}

if (import.meta.main) {
  const [name = "", ...args] = Deno.args;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command) {
    Deno.exit(await command(args));
  }
  console.error(
    `topfive: ${JSON.stringify(name)} is not a command ` +
      `(expected ${Object.keys(COMMANDS).join(", ")}; ./topfive --help lists them all)`,
  );
  Deno.exit(2);
}
