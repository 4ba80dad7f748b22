import { relative, resolve } from "node:path";

/** The start script, which the demo calls as a user would. */
const SCRIPT = resolve(import.meta.dirname!, "../../topfive");

/** A command of the demo ended with an error, which it has explained itself. */
export class CommandError extends Error {
  constructor(readonly command: string, readonly code: number) {
    super(`Cannot go on: ${command} ended with exit code ${code}, see above`);
    this.name = "CommandError";
  }
}

/** `./topfive train …` as it can be typed in the caller's folder. */
export function commandLine(args: readonly string[]): string {
  const script = relative(Deno.cwd(), SCRIPT);
  const words = [script.includes("/") ? script : `./${script}`, ...args];
  return words.map(quote).join(" ");
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Starts a topfive command; its output goes straight through, or to who started it. */
export function spawnCommand(
  args: readonly string[],
  output: "inherit" | "piped",
): Deno.ChildProcess {
  return new Deno.Command(SCRIPT, {
    args: [...args],
    stdin: "null",
    stdout: output,
    stderr: output,
  }).spawn();
}

/** Tells `child` to end; one that has ended already is left alone. */
export function endChild(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGTERM");
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * Ends `child` when this process is told to end. Ctrl-C in a terminal reaches the child by itself;
 * without a terminal nobody else tells it.
 *
 * @returns a function that takes the listeners away
 */
export function endWith(child: Deno.ChildProcess, onSignal: () => void): () => void {
  const listeners = (["SIGINT", "SIGTERM"] as const).map((signal) => {
    const listener = () => {
      onSignal();
      if (signal === "SIGINT" && Deno.stdin.isTerminal()) return;
      endChild(child);
    };
    Deno.addSignalListener(signal, listener);
    return () => Deno.removeSignalListener(signal, listener);
  });
  return () => listeners.forEach((remove) => remove());
}

/**
 * Runs a topfive command to its end.
 *
 * @throws {CommandError} when it fails or is interrupted
 */
export async function runCommand(args: readonly string[]): Promise<void> {
  const child = spawnCommand(args, "inherit");
  let interrupted = false;
  const release = endWith(child, () => interrupted = true);
  const { code } = await child.status;
  release();
  // Training ends well after Ctrl-C, with what it has; the demo must not go on from there.
  if (interrupted) throw new CommandError(commandLine(args), 130);
  if (code !== 0) throw new CommandError(commandLine(args), code);
}
