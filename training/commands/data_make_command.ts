import { contactSheet } from "../dataset/shapes/contact_sheet.ts";
import { drawShape } from "../dataset/shapes/picture.ts";
import { SHAPES_DESCRIPTION, writeShapes } from "../dataset/shapes/write_shapes.ts";
import { showProgress } from "../dataset/show_progress.ts";
import { writeAtomically } from "../write_atomically.ts";
import { readArguments } from "./arguments.ts";
import { runCommand } from "./command.ts";

const DEFAULTS = { train: 3000, validation: 500, test: 500, seed: 1, side: 96 } as const;

const HELP = `\
Draw the built-in image set into a folder

Usage: topfive data make DIR [options]

Options:
  --train N        pictures to train on (default ${DEFAULTS.train})
  --validation N   pictures to choose settings by (default ${DEFAULTS.validation})
  --test N         pictures for the final figure, 0 for none (default ${DEFAULTS.test})
  --seed S         the same seed draws the same set (default ${DEFAULTS.seed})
  --side PIXELS    height and width, 16 to 1024 (default ${DEFAULTS.side})
  --sheet FILE     also write a contact sheet of 100 training pictures, PNG
  --help           show this text

${SHAPES_DESCRIPTION}`;

type Setting = keyof typeof DEFAULTS;

interface Given {
  readonly directory: string;
  readonly settings: Readonly<Record<Setting, number>>;
  readonly sheet: string | undefined;
}

/** `topfive data make DIR`, see its --help. */
export function dataMakeCommand(args: readonly string[]): Promise<number> {
  return runCommand({ name: "data make", help: () => HELP, read, run }, args);
}

function read(args: readonly string[]): Given {
  const known = {
    train: "value",
    validation: "value",
    test: "value",
    seed: "value",
    side: "value",
    sheet: "value",
  } as const;
  const { options, positionals: [directory, ...rest] } = readArguments("make data", args, known);
  if (directory === undefined) throw new SyntaxError("Cannot make data: no folder given");
  if (rest.length > 0) {
    throw new SyntaxError(`Cannot make data: too many folders (${rest.join(", ")})`);
  }
  const settings: Record<Setting, number> = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS) as Setting[]) {
    const text = options[name];
    if (text === undefined) continue;
    if (!/^\d+$/.test(text)) {
      throw new SyntaxError(`Cannot make data: --${name} is ${text} (expected a whole number)`);
    }
    settings[name] = Number(text);
  }
  return { directory, settings, sheet: options.sheet };
}

async function run({ directory, settings, sheet }: Given): Promise<number> {
  await writeShapes(directory, { ...settings, onProgress: showProgress("Drawing", "pictures") });
  const { train, validation, test, seed, side } = settings;
  console.log(
    `${directory}: ${train} train, ${validation} validation, ${test} test (seed ${seed})`,
  );
  if (sheet !== undefined) {
    const pictures = Array.from(
      { length: Math.min(100, train) },
      (_, index) => drawShape({ seed, split: "train", index, side }),
    );
    await writeAtomically(sheet, [contactSheet(pictures, { side, columns: 10 })]);
    console.log(`${sheet}: contact sheet`);
  }
  return 0;
}
