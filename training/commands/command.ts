/** One command of the command line. Wrong arguments are found before any work is begun. */
export interface Command<Given> {
  /** As it is typed: "train". */
  readonly name: string;
  help(args: readonly string[]): string;
  /** @throws {SyntaxError} where the arguments are wrong. */
  read(args: readonly string[]): Given;
  /** Does the work and gives the exit code. */
  run(given: Given): Promise<number>;
}

/**
 * Runs a command and gives its exit code. What goes wrong is one line on standard error, and the code
 * 1 or, for wrong arguments, 2; a fault of the program itself shows where it is.
 */
export async function runCommand<Given>(
  command: Command<Given>,
  args: readonly string[],
): Promise<number> {
  let reading = true;
  try {
    if (args.includes("--help") || args.includes("-h")) {
      console.log(command.help(args));
      return 0;
    }
    const given = command.read(args);
    reading = false;
    return await command.run(given);
  } catch (error) {
    const misused = reading && error instanceof SyntaxError;
    console.error(`topfive: ${explain(error)}`);
    if (misused) console.error(`Try: topfive ${command.name} --help`);
    return misused ? 2 : 1;
  }
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const ours = error instanceof TypeError || error instanceof ReferenceError;
  return ours ? error.stack ?? error.message : error.message;
}
