import { type Precision, PRECISIONS } from "../gpu/precision.ts";
import { parseArgs } from "node:util";
import { nearestName } from "../nearest_name.ts";

/** What follows an option: a value, nothing, or nothing with `--no-…` as its opposite. */
export type OptionKind = "value" | "switch" | "on-off";

export interface Arguments<Options extends Record<string, OptionKind>> {
  /** By name, without the dashes; those that were given. */
  readonly options: {
    readonly [Name in keyof Options]?: Options[Name] extends "value" ? string : boolean;
  };
  readonly positionals: readonly string[];
}

/**
 * Splits a command's arguments into its options and the rest. A value may be a negative number
 * (`--seed -1`); another value that begins with a dash needs the equals sign (`--out=-run`).
 *
 * @param action what the messages begin with: "train" for "Cannot train: …"
 * @throws {SyntaxError} on an unknown option, with the nearest known one, an option given twice, a
 * value missing or too many.
 */
export function readArguments<const Options extends Record<string, OptionKind>>(
  action: string,
  args: readonly string[],
  known: Options,
): Arguments<Options> {
  const refuse = (reason: string) => new SyntaxError(`Cannot ${action}: ${reason}`);
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(known).map(([name, kind]) => [
        name,
        { type: kind === "value" ? "string" as const : "boolean" as const },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const options: Record<string, string | boolean> = {};
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const { rawName, value } = token;
    const { name, on } = findOption(token.name, rawName, known) ??
      raise(refuse(`unknown option ${rawName}${suggestion(rawName, known)}`));
    if (name in options) throw refuse(`--${name} is given twice`);
    if (known[name] !== "value") {
      if (value !== undefined) throw refuse(`${rawName} takes no value (${value})`);
      options[name] = on;
    } else if (value === undefined || value === "" || isOption(value, token.inlineValue)) {
      throw refuse(`--${name} has no value`);
    } else {
      options[name] = value;
    }
  }
  return { options: options as Arguments<Options>["options"], positionals };
}

function raise(error: Error): never {
  throw error;
}

/** Whether the word after an option is the next option and not its value. */
function isOption(word: string, inline: boolean | undefined): boolean {
  return !inline && word.startsWith("-") && word !== "-" && Number.isNaN(Number(word));
}

function findOption(name: string, rawName: string, known: Record<string, OptionKind>) {
  if (!rawName.startsWith("--")) return undefined;
  if (Object.hasOwn(known, name)) return { name, on: true };
  const positive = name.replace(/^no-/, "");
  return Object.hasOwn(known, positive) && known[positive] === "on-off"
    ? { name: positive, on: false }
    : undefined;
}

function suggestion(rawName: string, known: Record<string, OptionKind>): string {
  const names = Object.entries(known).flatMap(([name, kind]) =>
    kind === "on-off" ? [`--${name}`, `--no-${name}`] : [`--${name}`]
  );
  const nearest = nearestName(rawName, names);
  return nearest === undefined ? "" : ` (did you mean ${nearest}?)`;
}

/** @throws {SyntaxError} on anything but the precisions there are; float32 where none is given. */
export function parsePrecision(command: string, text: string | undefined): Precision {
  const precision = PRECISIONS.find((known) => known === (text ?? "f32"));
  if (precision !== undefined) return precision;
  throw new SyntaxError(
    `Cannot ${command}: --precision is ${text} (expected ${PRECISIONS.join(" or ")})`,
  );
}
