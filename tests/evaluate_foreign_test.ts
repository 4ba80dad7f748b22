// A network that others trained, on photographs, by the command line's own way.
import { assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { evaluateCommand } from "../training/commands/evaluate_command.ts";
import { captured } from "../training/fixtures/captured.ts";
import { importCommand } from "../inference/import/main.ts";

const DATA = new URL("../../shared/data/", import.meta.url).pathname;
const MODEL = join(DATA, "models/squeezenet10-deepcompression/squeezenet1.0-dc.onnx");
const FOREIGN = [
  ...["--labels", join(DATA, "labels/onnx-models-synset.txt")],
  ...["--preprocess", "caffe"],
];

function hasData(): boolean {
  try {
    return Deno.statSync(MODEL).isFile;
  } catch {
    return false;
  }
}

/** Photographs in folders by class, a column of the list of them. */
async function photographs(folder: string, column: "class_index" | "synset") {
  const samples = join(DATA, "imagenet-samples");
  const list = await Deno.readTextFile(join(samples, "labels.csv"));
  const [head, ...lines] = list.trim().split("\r\n");
  const columns = head!.split(",");
  for (const line of lines) {
    const fields = line.split(",");
    const file = fields[columns.indexOf("file")]!;
    const place = join(folder, fields[columns.indexOf(column)]!);
    await Deno.mkdir(place, { recursive: true });
    await Deno.copyFile(join(samples, file), join(place, file.split("/").at(-1)!));
  }
}

/** ONNX Runtime's own figures for the same photographs. */
async function expectedErrors() {
  const path = join(DATA, "models/squeezenet10-deepcompression/expected-top5.json");
  const { results } = JSON.parse(await Deno.readTextFile(path)) as {
    results: { class_index?: number; top5: [number, number][] }[];
  };
  const known = results.filter(({ class_index }) => class_index !== undefined);
  const wrong = (top: number) =>
    known.filter(({ class_index, top5 }) =>
      !top5.slice(0, top).some(([index]) => index === class_index)
    ).length;
  return { images: known.length, top1Error: wrong(1) / 40, top5Error: wrong(5) / 40 };
}

Deno.test({
  name:
    "topfive evaluate measures a foreign network, by index, by WordNet id, from a store, as one",
  ignore: !hasData(),
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      await photographs(join(folder, "by-index"), "class_index");
      await photographs(join(folder, "by-id"), "synset");
      const run = (...args: string[]) => captured(() => evaluateCommand([...args, "--json"]));
      const all = (name: string) => ["--data", join(folder, name), "--split", "all"];
      const expected = await expectedErrors();

      const file = await run(MODEL, ...FOREIGN, ...all("by-id"));
      assertEquals(file.code, 0, file.stderr);
      const { images, top1Error, top5Error, loss, classes } = JSON.parse(file.stdout);
      assertEquals({ images, top1Error, top5Error }, expected);
      assertEquals(classes.length, 1000);

      const store = ["--store", join(folder, "store"), "--name", "squeezenet"];
      await captured(() => importCommand([MODEL, ...FOREIGN, ...store]));
      const ensemble = await run(MODEL, ...FOREIGN, ...store, ...all("by-index"));
      assertEquals(ensemble.code, 0, ensemble.stderr);
      const both = JSON.parse(ensemble.stdout);
      assertEquals(both.models, [MODEL, "squeezenet"]);
      assertEquals([both.top1Error, both.top5Error], [expected.top1Error, expected.top5Error]);
      assertAlmostEquals(both.loss, loss, 1e-5);

      const unsaid = await run(MODEL, ...all("by-id"));
      assertEquals(unsaid.code, 1);
      assertStringIncludes(unsaid.stderr, "--labels FILE --preprocess FILE|PRESET");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
