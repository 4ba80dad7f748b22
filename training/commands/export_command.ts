import type { CheckpointName } from "../checkpoint/checkpoint_folder.ts";
import { loadRun } from "../load_run.ts";
import { encodeRun } from "../run_export.ts";
import { writeAtomically } from "../write_atomically.ts";
import { readArguments } from "./arguments.ts";
import { runCommand } from "./command.ts";

const HELP = `Writes a trained run as an ONNX file

Usage: topfive export RUN --onnx FILE [--checkpoint NAME]

  RUN           a run folder that topfive train made
  --onnx FILE   the file to write: input "input" [N, channels, height, width], float32, normalised;
                output "probabilities" [N, classes]
  --checkpoint NAME   best: the least validation error (default); latest, previous, or a file

Example
  topfive export runs/first --onnx first.onnx`;

interface Given {
  readonly folder: string;
  readonly onnx: string;
  readonly checkpoint: CheckpointName;
}

export function exportCommand(args: readonly string[]): Promise<number> {
  return runCommand({ name: "export", help: () => HELP, read, run }, args);
}

function read(args: readonly string[]): Given {
  const { options, positionals: [folder, ...others] } = readArguments("export", args, {
    onnx: "value",
    checkpoint: "value",
  });
  const { onnx, checkpoint = "best" } = options;
  if (folder === undefined || others.length > 0 || onnx === undefined) {
    throw new SyntaxError("Cannot export: expected one run folder and --onnx FILE");
  }
  return { folder, onnx, checkpoint };
}

async function run({ folder, onnx, checkpoint }: Given): Promise<number> {
  const chunks = encodeRun(await loadRun(folder, checkpoint));
  await writeAtomically(onnx, chunks);
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  console.log(`${onnx}: ${(bytes / 1e6).toFixed(1)} MB`);
  return 0;
}
