/** The start script as a user calls it, in a folder of the test's own. */
import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";

const SCRIPT = fromFileUrl(new URL("../topfive", import.meta.url));

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A started command; what it printed so far can be waited for. */
export class TopfiveProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #printed = { stdout: "", stderr: "" };
  readonly #finished: Promise<Finished>;
  #onText = () => {};
  #ended = false;

  constructor(folder: string, args: readonly string[]) {
    this.#child = new Deno.Command(SCRIPT, {
      args: [...args],
      cwd: folder,
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#finished = this.#finish();
  }

  async #finish(): Promise<Finished> {
    const streams = Promise.all([
      this.#read("stdout", this.#child.stdout),
      this.#read("stderr", this.#child.stderr),
    ]);
    const { code } = await this.#child.status;
    await streams;
    this.#ended = true;
    this.#onText();
    return { code, ...this.#printed };
  }

  async #read(name: "stdout" | "stderr", stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      this.#printed[name] += decoder.decode(chunk, { stream: true });
      this.#onText();
    }
  }

  /** Resolves to the match once the command printed it; fails when it ends without. */
  async printed(name: "stdout" | "stderr", pattern: RegExp): Promise<RegExpExecArray> {
    while (true) {
      const match = pattern.exec(this.#printed[name]);
      if (match) return match;
      if (this.#ended) {
        throw new Error(`topfive never printed ${pattern}: ${JSON.stringify(this.#printed)}`);
      }
      await new Promise<void>((resolve) => this.#onText = resolve);
    }
  }

  signal(name: Deno.Signal): void {
    this.#child.kill(name);
  }

  finished(): Promise<Finished> {
    return this.#finished;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) this.#child.kill("SIGKILL");
    await this.#finished;
  }
}

/** Runs a command to its end, which must be a good one. */
export async function topfive(folder: string, ...args: string[]): Promise<Finished> {
  const finished = await new TopfiveProcess(folder, args).finished();
  assertEquals(finished.code, 0, `topfive ${args.join(" ")}: ${finished.stderr}`);
  return finished;
}
