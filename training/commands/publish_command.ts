import { parseArgs } from "node:util";
import { publishModel } from "../../shared/model_registry.ts";
import { openStore } from "../../shared/object_store/open_store.ts";
import { type LoadedRun, loadRun } from "../load_run.ts";
import { INPUT_NAME, OUTPUT_NAME } from "../onnx/export.ts";
import { runCommand } from "./command_error.ts";
import { EvaluationFile, evaluationPath } from "./evaluate_command.ts";
import { encodeRun } from "./export_command.ts";

const HELP = `Exports a run as ONNX and publishes it, with its manifest, to an object store

Usage: topfive publish RUN --store DIR --name NAME [--version V]

  RUN           a run folder that topfive train made and topfive evaluate measured
  --store DIR   the object store: a folder
  --name NAME   the model's name in the store
  --version V   default: the time and the first digits of the data's fingerprint

The weights and the manifest are written first; the pointer "latest" moves last.

Example
  topfive publish runs/first --store store --name shapes`;

export function publishCommand(args: string[]): Promise<number> {
  return runCommand("publish", async () => {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        store: { type: "string" },
        name: { type: "string" },
        version: { type: "string" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    const [folder] = positionals;
    const { store, name } = values;
    if (folder === undefined || positionals.length > 1 || !store || !name) {
      throw new SyntaxError("Cannot publish: expected one run folder, --store DIR and --name NAME");
    }
    const loaded = await loadRun(folder);
    const evaluation = await readEvaluation(folder);
    const manifest = await publishModel(openStore(store), {
      weights: await joined(encodeRun(loaded)),
      manifest: describe(loaded, evaluation, { name, ...values }),
    });
    const { version, weights } = manifest;
    console.log(
      values.json
        ? JSON.stringify(manifest, null, 2)
        : `published ${name} ${version}: ${(weights.byteLength / 1e6).toFixed(1)} MB, ` +
          `top-1 error ${(100 * evaluation.top1Error).toFixed(2)} % on ${evaluation.images} images`,
    );
    return 0;
  });
}

async function joined(chunks: readonly Uint8Array[]): Promise<Uint8Array> {
  return await new Blob(chunks as Uint8Array<ArrayBuffer>[]).bytes();
}

async function readEvaluation(folder: string) {
  let text: string;
  try {
    text = await Deno.readTextFile(evaluationPath(folder));
  } catch (error) {
    throw new Error(
      `Cannot publish ${folder}: it was not measured ` +
        `(run: ./topfive evaluate ${folder} --data DIR)`,
      { cause: error },
    );
  }
  return EvaluationFile.parse(JSON.parse(text));
}

function describe(
  { run, graph, preprocess }: LoadedRun,
  evaluation: Awaited<ReturnType<typeof readEvaluation>>,
  { name, version }: { name: string; version?: string },
) {
  const createdAt = new Date().toISOString();
  const stamp = createdAt.replace(/[-:]|\.\d+Z/g, "").replace("T", "-");
  const { channels, height, width } = graph.input.shape;
  const { dataFingerprint: _, ...metrics } = evaluation;
  return {
    name,
    version: version ?? `${stamp}-${run.data.fingerprint.slice(0, 8)}`,
    createdAt,
    input: {
      name: INPUT_NAME,
      shape: [-1, channels, height, width] as [number, number, number, number],
    },
    output: { name: OUTPUT_NAME, classes: run.classes.length },
    preprocess: { ...preprocess, mean: [...preprocess.mean], std: [...preprocess.std] },
    labels: run.classes,
    metrics,
    provenance: {
      codeVersion: run.codeVersion,
      model: run.config.model,
      config: run.config,
      seed: run.config.seed,
      adapter: run.adapter,
      dataFingerprint: run.data.fingerprint,
      parent: null,
    },
  };
}
