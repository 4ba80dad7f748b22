/**
 * Runs a command of the command line: an error that a user can act on is one line on standard
 * error and exit code 1 or, for wrong arguments, 2; anything else is ours and shows its stack.
 */
export async function runCommand(name: string, command: () => Promise<number>): Promise<number> {
  try {
    return await command();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const usage = error instanceof SyntaxError || isArgumentError(error);
    console.error(`topfive ${name}: ${error.message}`);
    if (Deno.env.get("TOPFIVE_DEBUG")) console.error(error.stack);
    if (usage) console.error(`Try: topfive ${name} --help`);
    return usage ? 2 : 1;
  }
}

function isArgumentError(error: Error): boolean {
  return "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
}
