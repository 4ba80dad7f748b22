import { nearestName } from "../nearest_name.ts";

/** A command that is a group of others, such as `topfive data`. */
export interface Group {
  /** As it is typed: "data". */
  readonly name: string;
  /** What its help begins with. */
  readonly summary: string;
  readonly commands: Readonly<
    Record<string, { run(args: readonly string[]): Promise<number>; readonly summary: string }>
  >;
}

/** Runs one of a group's commands and gives its exit code. */
export async function runGroup(group: Group, args: readonly string[]): Promise<number> {
  const { name, commands } = group;
  const [word = "", ...rest] = args;
  const command = Object.hasOwn(commands, word) ? commands[word] : undefined;
  if (command) return await command.run(rest);
  if (["--help", "-h", "help"].includes(word)) {
    console.log(describe(group));
    return 0;
  }
  const nearest = nearestName(word, Object.keys(commands));
  const what = word === "" ? `${name} alone` : `${name} ${word}`;
  console.error(
    `topfive: ${what} is not a command ` +
      `(${
        nearest ? `did you mean ${nearest}?` : `expected ${Object.keys(commands).join(", ")}`
      })\n` +
      `Try: topfive ${name} --help`,
  );
  return 2;
}

function describe({ name, summary, commands }: Group): string {
  const width = Math.max(...Object.keys(commands).map(({ length }) => length));
  const lines = Object.entries(commands).map(([command, { summary }]) =>
    `  ${command.padEnd(width)}  ${summary}`
  );
  return `${summary}\n\nUsage: topfive ${name} COMMAND …\n\n${lines.join("\n")}\n\n` +
    `Every command explains itself: topfive ${name} ${Object.keys(commands)[0]} --help`;
}
