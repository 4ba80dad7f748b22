import { parseArgs } from "@std/cli/parse-args";
import { contactSheet } from "./shapes/contact_sheet.ts";
import { drawShape } from "./shapes/picture.ts";
import { SHAPES_DESCRIPTION, writeShapes } from "./shapes/write_shapes.ts";
import { showProgress } from "./show_progress.ts";

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

interface Arguments {
  directory: string;
  settings: Record<Setting, number>;
  sheet: string | undefined;
}

/**
 * `topfive data make DIR`, see its --help.
 *
 * @returns the exit status: 0, or 2 where the arguments are wrong
 * @throws {Error} the folder is not empty or cannot be written
 */
export async function dataMakeCommand(args: string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(HELP);
    return 0;
  }
  let parsed: Arguments;
  try {
    parsed = parseArguments(args);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    console.error(`${error.message}\nTry: topfive data make --help`);
    return 2;
  }
  const { directory, settings, sheet } = parsed;
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
    await Deno.writeFile(sheet, contactSheet(pictures, { side, columns: 10 }));
    console.log(`${sheet}: contact sheet`);
  }
  return 0;
}

function parseArguments(args: string[]): Arguments {
  const names = Object.keys(DEFAULTS) as Setting[];
  const flags = parseArgs(args, {
    string: [...names, "sheet", "_"],
    unknown: (argument: string) => {
      if (argument.startsWith("-")) {
        throw new SyntaxError(`Cannot make data: unknown option ${argument}`);
      }
      return true;
    },
  });
  const [directory, ...rest] = flags._;
  if (directory === undefined) throw new SyntaxError("Cannot make data: no folder given");
  if (rest.length > 0) {
    throw new SyntaxError(`Cannot make data: too many folders (${rest.join(", ")})`);
  }
  const settings: Record<Setting, number> = { ...DEFAULTS };
  for (const name of names) {
    const text: unknown = flags[name];
    if (text === undefined) continue;
    if (typeof text !== "string" || !/^\d+$/.test(text)) {
      throw new SyntaxError(`Cannot make data: --${name} is ${text} (expected a whole number)`);
    }
    settings[name] = Number(text);
  }
  const sheet = flags["sheet"];
  if (sheet === "") throw new SyntaxError("Cannot make data: --sheet has no file name");
  return { directory: String(directory), settings, sheet };
}
