import { extname } from "node:path";
import { lumaToRgb } from "../../shared/image/pixels.ts";
import {
  centreOffset,
  decodeRecord,
  type PreprocessSpec,
  recordToTensor,
} from "../../shared/image/preprocess.ts";
import { type RankedClass, topK } from "../../shared/top_k.ts";
import { encodePng } from "../dataset/shapes/png.ts";
import { heatColors, highlight, saliencyOf, sideBySide } from "../explain/heat_map.ts";
import { type Answer, explanationSvg } from "../explain/explanation_svg.ts";
import { openGpu } from "../gpu/device.ts";
import { ScoreGradient } from "../graph/score_gradient.ts";
import { loadRun } from "../load_run.ts";
import { residualOf } from "../normalization.ts";
import { writeAtomically } from "../write_atomically.ts";
import { readArguments } from "./arguments.ts";
import { runCommand } from "./command.ts";

const HELP = `Draws which pixels of an image decided

Usage: topfive explain IMAGE --run RUN --out FILE [--class NAME] [--json]

  IMAGE         JPEG, PNG, GIF …
  --run RUN     a run folder that topfive train made
  --out FILE    .png: what the network saw, how much each pixel counted, and both together;
                .svg: the same with the five first answers beside it
  --class NAME  explain this class's score in place of the first answer's
  --json        print the answers as JSON

A pixel counts by the gradient of the class's score with respect to it: how fast the score would
change with the pixel. Bright pixels are those whose change would change the score the most.

Example
  topfive explain rose.jpg --run runs/first --out rose.svg`;

const TOP = 5;
/** Pixels of a drawn square at least. */
const TILE = 256;

interface Given {
  readonly image: string;
  readonly folder: string;
  readonly out: string;
  readonly className: string | undefined;
  readonly json: boolean;
}

export function explainCommand(args: readonly string[]): Promise<number> {
  return runCommand({ name: "explain", help: () => HELP, read, run }, args);
}

function read(args: readonly string[]): Given {
  const { options, positionals: [image, ...others] } = readArguments("explain", args, {
    run: "value",
    out: "value",
    class: "value",
    json: "switch",
  });
  const { run: folder, out, class: className, json = false } = options;
  if (image === undefined || others.length > 0 || folder === undefined || out === undefined) {
    throw new SyntaxError("Cannot explain: expected one image, --run RUN and --out FILE");
  }
  if (![".png", ".svg"].includes(extname(out))) {
    throw new SyntaxError(
      `Cannot explain: --out is ${out} (expected a name that ends in .png or .svg)`,
    );
  }
  return { image, folder, out, className, json };
}

async function run({ image, folder, out, className, json }: Given): Promise<number> {
  const { run: { classes }, graph, checkpoint, preprocess, meanCrop } = await loadRun(folder);
  const asked = className === undefined ? null : classes.indexOf(className);
  if (asked === -1) {
    throw new Error(`Cannot explain ${className}: no such class (expected ${classes.join(", ")})`);
  }
  const record = await decodeRecord(await Deno.readFile(image), preprocess);
  const offset = meanCrop && residualOf(preprocess, meanCrop);
  const tensor = recordToTensor(record, preprocess).map((value, i) => value - (offset?.[i] ?? 0));
  const gpu = await openGpu();
  try {
    const options = { images: 1, parameters: checkpoint.parameters };
    const runner = await ScoreGradient.create(gpu, graph, options);
    // Which class is asked about is known once the network has answered.
    const { probabilities } = await runner.run(tensor, Uint32Array.of(asked ?? 0));
    const top = topK(probabilities, TOP);
    const label = asked ?? top[0]!.index;
    const { gradient } = await runner.run(tensor, Uint32Array.of(label));
    runner.close();
    const picture = drawExplanation(record, gradient, preprocess);
    const answers = top.map((answer) => nameAnswer(answer, classes));
    const explained = classes[label]!;
    const file = extname(out) === ".svg"
      ? new TextEncoder().encode(explanationSvg({ picture, answers, explained }))
      : picture.png;
    await writeAtomically(out, [file]);
    console.log(
      json
        ? JSON.stringify({ explained, predictions: answers }, null, 2)
        : [...answers.map(formatAnswer), `${out}: which pixels speak for ${explained}`].join("\n"),
    );
    return 0;
  } finally {
    gpu.close();
  }
}

function nameAnswer({ index, probability }: RankedClass, classes: readonly string[]): Answer {
  return { label: classes[index]!, probability };
}

function formatAnswer({ label, probability }: Answer): string {
  return `${(100 * probability).toFixed(1).padStart(5)} %  ${label}`;
}

/** What the network saw, what counted, and both. */
function drawExplanation(record: Uint8Array, gradient: Float32Array, spec: PreprocessSpec) {
  const { crop } = spec;
  const seen = cropOf(record, spec);
  const saliency = saliencyOf(gradient, crop);
  const pictures = [seen, heatColors(saliency), highlight(seen, saliency)];
  const scale = Math.max(1, Math.ceil(TILE / crop));
  const { data, width, height } = sideBySide(pictures, { side: crop, scale, gap: 8 });
  return { png: encodePng(data, width, height), width, height };
}

/** The centre crop, RGB. */
function cropOf(record: Uint8Array, spec: PreprocessSpec): Uint8Array {
  const { side, crop, channels } = spec;
  const { x, y } = centreOffset(spec);
  const rgb = channels === 1 ? lumaToRgb(record) : record;
  const picture = new Uint8Array(crop * crop * 3);
  for (let row = 0; row < crop; row++) {
    const from = ((y + row) * side + x) * 3;
    picture.set(rgb.subarray(from, from + crop * 3), row * crop * 3);
  }
  return picture;
}
