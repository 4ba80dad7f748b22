import { parseArgs } from "node:util";
import { type LoadedRun, loadRun } from "../load_run.ts";
import { exportOnnx } from "../onnx/export.ts";
import { encodeOnnxChunks } from "../onnx/write.ts";
import { VERSION } from "../version.ts";
import { writeAtomically } from "../write_atomically.ts";
import { runCommand } from "./command_error.ts";

const HELP = `Writes a trained run as an ONNX file

Usage: topfive export RUN --onnx FILE

  RUN           a run folder that topfive train made
  --onnx FILE   the file to write: input "input" [N, channels, height, width], float32, normalised;
                output "probabilities" [N, classes]

Example
  topfive export runs/first --onnx first.onnx`;

export function exportCommand(args: string[]): Promise<number> {
  return runCommand("export", async () => {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { onnx: { type: "string" }, help: { type: "boolean", short: "h" } },
    });
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    const [folder] = positionals;
    if (folder === undefined || positionals.length > 1 || values.onnx === undefined) {
      throw new SyntaxError("Cannot export: expected one run folder and --onnx FILE");
    }
    const chunks = encodeRun(await loadRun(folder));
    await writeAtomically(values.onnx, chunks);
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    console.log(`${values.onnx}: ${(bytes / 1e6).toFixed(1)} MB`);
    return 0;
  });
}

/** The run's ONNX file, in pieces: the weights are views and not copied. */
export function encodeRun({ run, graph, checkpoint, preprocess }: LoadedRun): Uint8Array[] {
  return encodeOnnxChunks(exportOnnx(graph, checkpoint.parameters, {
    version: VERSION,
    metadata: {
      labels: JSON.stringify(run.classes),
      preprocess: JSON.stringify(preprocess),
    },
  }));
}
