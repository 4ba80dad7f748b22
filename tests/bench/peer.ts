/**
 * A peer of a bench in a process of its own. It speaks one JSON document a line: first a greeting,
 * then an answer to each request.
 *
 *     {"hello": "PyTorch 2.9, 2 threads"}   or   {"notHere": "no module named torch"}
 *     {"result": ...}                       or   {"error": "out of memory"}
 */

export interface PeerCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Why a peer, or one figure of it, is missing. */
export class NotHere extends Error {}

const GREETING_SECONDS = 180;
/** Of what the process says on standard error, for the message when it dies. */
const KEPT_CHARACTERS = 4000;

export class Peer {
  /** Name and versions, by the peer's own word. */
  readonly greeting: string;
  readonly #child: Deno.ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #requests: WritableStreamDefaultWriter<Uint8Array>;
  readonly #complaints: Promise<string>;

  /** @throws {NotHere} where the program is missing, says that it cannot, or stays silent. */
  static async start({ program, args, env = {} }: PeerCommand): Promise<Peer> {
    let child: Deno.ChildProcess;
    try {
      child = new Deno.Command(program, {
        args: [...args],
        env: { NO_COLOR: "1", ...env },
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
    } catch (error) {
      throw new NotHere(`cannot start ${program}: ${(error as Error).message}`);
    }
    const lines = linesOf(child.stdout);
    const complaints = tailOf(child.stderr);
    try {
      const first = await nextLine(lines, GREETING_SECONDS, complaints);
      if (typeof first.hello === "string") return new Peer(child, lines, complaints, first.hello);
      throw new NotHere(String(first.notHere ?? JSON.stringify(first)).split("\n")[0]!);
    } catch (error) {
      await stop(child);
      throw error;
    }
  }

  private constructor(
    child: Deno.ChildProcess,
    lines: AsyncIterator<string>,
    complaints: Promise<string>,
    greeting: string,
  ) {
    this.greeting = greeting;
    this.#child = child;
    this.#lines = lines;
    this.#requests = child.stdin.getWriter();
    this.#complaints = complaints;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** @throws {NotHere} where the peer fails, dies or needs longer; after that it is of no use. */
  async ask<Result>(request: unknown, seconds: number): Promise<Result> {
    const bytes = new TextEncoder().encode(JSON.stringify(request) + "\n");
    await this.#requests.write(bytes).catch(() => {});
    const answer = await nextLine(this.#lines, seconds, this.#complaints);
    if ("result" in answer) return answer.result as Result;
    throw new NotHere(String(answer.error ?? JSON.stringify(answer)));
  }

  async close(): Promise<void> {
    await this.#requests.close().catch(() => {});
    await stop(this.#child);
  }
}

async function nextLine(
  lines: AsyncIterator<string>,
  seconds: number,
  complaints: Promise<string>,
): Promise<Record<string, unknown>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NotHere(`no answer in ${seconds} s`)), seconds * 1000);
  });
  try {
    const { value, done } = await Promise.race([lines.next(), timeout]);
    if (done) throw new NotHere(reason(await complaints) || "it ended without a word");
    return JSON.parse(value);
  } finally {
    clearTimeout(timer);
  }
}

/** The last line that names an error, for Python says it last and Deno first; else the last. */
function reason(text: string): string {
  const lines = text.trim().split("\n");
  return lines.findLast((line) => /^(error:|\w*Error\b)/.test(line)) ?? lines.at(-1) ?? "";
}

/** The child's documents; other lines that a library prints are passed over. */
async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncIterator<string> & {
  [Symbol.asyncIterator](): AsyncIterator<string>;
} {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines.filter((line) => line.startsWith("{"));
  }
}

/** The end of a stream, when it has ended. */
async function tailOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  let tail = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    tail = (tail + text).slice(-KEPT_CHARACTERS);
  }
  return tail;
}

async function stop(child: Deno.ChildProcess): Promise<void> {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended by itself.
  }
  await child.status;
}
