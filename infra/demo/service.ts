import { CommandError, commandLine, endChild, endWith, spawnCommand } from "./command.ts";

/** A label and its probability, as the service answers them. */
export interface Prediction {
  readonly label: string;
  readonly index: number;
  readonly probability: number;
}

/** The running service of the demo. */
export interface DemoService {
  /** "http://127.0.0.1:8000" */
  readonly origin: string;
  /** Lets its log through from now on; until then the log would stand between the answers. */
  showLog(): void;
  /** Tells it to end and waits until it has. */
  stop(): Promise<void>;
  /** Resolves when it has ended, by Ctrl-C or by itself. */
  readonly ended: Promise<void>;
}

/**
 * Starts `topfive serve` and waits for the line that tells its address, which it prints once it can
 * classify. What it prints after that is kept until asked for.
 *
 * @throws {CommandError} when it ends before that
 */
export async function startService(args: readonly string[]): Promise<DemoService> {
  const child = spawnCommand(args, "piped");
  const release = endWith(child, () => {});
  const address = Promise.withResolvers<string>();
  const log = new HeldLog();
  const output = [child.stdout, child.stderr].map((stream) => passOn(stream, log, address.resolve));
  const ended = child.status.then(async ({ code }) => {
    await Promise.all(output);
    release();
    if (code !== 0) log.show();
    address.reject(new CommandError(commandLine(args), code));
  });
  const origin = await address.promise;
  return {
    origin,
    ended,
    showLog: () => log.showFromNowOn(),
    stop: async () => {
      endChild(child);
      await ended;
    },
  };
}

/** Output that is let through, or kept for the case that something goes wrong. */
class HeldLog {
  #held: Uint8Array[] | null = null;

  write(chunk: Uint8Array): void {
    if (this.#held) this.#held.push(chunk);
    else Deno.stdout.writeSync(chunk);
  }

  hold(): void {
    this.#held ??= [];
  }

  show(): void {
    const held = this.#held ?? [];
    this.#held = null;
    held.forEach((chunk) => this.write(chunk));
  }

  showFromNowOn(): void {
    this.#held = null;
  }
}

/** Passes lines on and calls back with the first address among them; what follows it is held. */
async function passOn(
  stream: ReadableStream<Uint8Array>,
  log: HeldLog,
  onAddress: (origin: string) => void,
): Promise<void> {
  let text = "";
  let found = false;
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    log.write(chunk);
    if (found) continue;
    text = (text + decoder.decode(chunk, { stream: true })).slice(-4096);
    const url = /http:\/\/[\w.:[\]-]+:\d+/.exec(text)?.[0];
    if (!url) continue;
    found = true;
    log.hold();
    onAddress(url);
  }
}

/**
 * Sends the bytes of an image and returns its likeliest labels, best first.
 *
 * @throws {Error} when the service refuses it, with the service's own words
 */
export async function classify(origin: string, image: Uint8Array<ArrayBuffer>): Promise<{
  predictions: Prediction[];
  milliseconds: number;
}> {
  const start = performance.now();
  const response = await fetch(`${origin}/v1/classify`, { method: "POST", body: image });
  const answer = await response.json();
  if (!response.ok) {
    throw new Error(`Cannot classify: the service answered ${response.status}, ${answer.detail}`);
  }
  return { predictions: answer.predictions, milliseconds: performance.now() - start };
}

/** `wanted` if nothing listens there, else 0, which lets the system choose. */
export function freePort(wanted: number): number {
  try {
    Deno.listen({ hostname: "127.0.0.1", port: wanted }).close();
    return wanted;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return 0;
    throw error;
  }
}
