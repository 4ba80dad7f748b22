import { modelsCanaryCommand } from "./models/canary_command.ts";
import { modelsCopyCommand } from "./models/copy_command.ts";
import { modelsGcCommand } from "./models/gc_command.ts";
import { modelsDiffCommand } from "./models/diff_command.ts";
import { modelsHistoryCommand } from "./models/history_command.ts";
import { modelsKeyCommand } from "./models/key_command.ts";
import { modelsListCommand } from "./models/list_command.ts";
import {
  modelsAliasCommand,
  modelsPromoteCommand,
  modelsRollbackCommand,
} from "./models/move_commands.ts";
import { modelsShowCommand } from "./models/show_command.ts";
import { modelsSignCommand } from "./models/sign_command.ts";
import { modelsVerifyCommand } from "./models/verify_command.ts";
import { runGroup } from "./subcommands.ts";

export function modelsCommand(args: readonly string[]): Promise<number> {
  return runGroup({
    name: "models",
    summary: "What is published, what is live, and how it came to be so",
    commands: {
      list: { run: modelsListCommand, summary: "models and versions, and which is live" },
      show: { run: modelsShowCommand, summary: "one version: accuracy, data, how it was made" },
      diff: { run: modelsDiffCommand, summary: "what differs between two versions" },
      promote: {
        run: modelsPromoteCommand,
        summary: "make a version the one that services answer with",
      },
      rollback: { run: modelsRollbackCommand, summary: "go back to the champion before" },
      canary: {
        run: modelsCanaryCommand,
        summary: "have a candidate meet real requests, and promote it or take it back",
      },
      alias: { run: modelsAliasCommand, summary: "point another name at a version" },
      history: { run: modelsHistoryCommand, summary: "every move of an alias: who, when, why" },
      verify: { run: modelsVerifyCommand, summary: "hash everything again and compare" },
      copy: { run: modelsCopyCommand, summary: "back up, restore or move a whole store" },
      gc: { run: modelsGcCommand, summary: "remove what no alias and no recent move needs" },
      key: { run: modelsKeyCommand, summary: "make a key that signs, or show its public half" },
      sign: { run: modelsSignCommand, summary: "vouch for a version with a key" },
    },
  }, args);
}
