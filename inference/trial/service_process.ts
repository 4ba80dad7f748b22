import { fromFileUrl } from "@std/path";
import { readConfig } from "../config.ts";
import { npmCacheFolder, permissionFlags } from "../permissions.ts";

const PROGRAM = fromFileUrl(new URL("../serve.ts", import.meta.url));

/** The service did not come up, ended, or took too long. */
export class TrialTimeout extends Error {
  override readonly name = "TrialTimeout";
}

/** Memory of a process, in bytes; null where the system has no /proc. */
export interface ProcessMemory {
  readonly peak: number | null;
  readonly resident: number | null;
}

/** `topfive serve` in a process of its own, under its own permissions, on a free port. */
export class ServiceProcess implements AsyncDisposable {
  /** Milliseconds on the clock of `performance.now()` when the process was started. */
  readonly startedAt: number;
  readonly #child: Deno.ChildProcess;
  readonly #log: Promise<string>;
  readonly #address: Promise<string | null>;
  #ended = false;

  /** `args` as `topfive serve` takes them; host and port are the trial's. */
  static async start(args: readonly string[]): Promise<ServiceProcess> {
    const whole = [...args, "--host", "127.0.0.1", "--port", "0", "--cache", "0", "--poll", "0"];
    const flags = permissionFlags(readConfig(whole, () => undefined), await npmCacheFolder());
    return new ServiceProcess(["run", ...flags, PROGRAM, ...whole]);
  }

  private constructor(args: string[]) {
    this.startedAt = performance.now();
    this.#child = new Deno.Command("deno", {
      args,
      clearEnv: true,
      env: ownEnvironment(),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#address = servedAddress(this.#child.stdout);
    this.#log = new Response(this.#child.stderr).text();
    void this.#child.status.then(() => this.#ended = true);
  }

  /**
   * The address, once the model is loaded and passed its self-test.
   *
   * @throws {RangeError} with the service's own reason when it ends instead.
   * @throws {TrialTimeout} when it does neither in time.
   */
  async ready(milliseconds: number): Promise<string> {
    const address = await within(milliseconds, this.#address, "the service was not ready");
    if (address !== null) return address;
    const { code } = await this.#child.status;
    throw new RangeError(lastWords(await this.#log) || `the service ended with code ${code}`);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** What it holds now and held at most. */
  async memory(): Promise<ProcessMemory> {
    const status = await Deno.readTextFile(`/proc/${this.#child.pid}/status`).catch(() => "");
    const bytes = (field: string) => {
      const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1];
      return kilobytes === undefined ? null : Number(kilobytes) * 1024;
    };
    return { peak: bytes("VmHWM"), resident: bytes("VmRSS") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) this.#child.kill("SIGKILL");
    await this.#child.status;
    await Promise.all([this.#address, this.#log]);
  }
}

/** @throws {TrialTimeout} */
export async function within<Result>(
  milliseconds: number,
  work: Promise<Result>,
  what: string,
): Promise<Result> {
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => timeout.reject(new TrialTimeout(`${what} within ${milliseconds / 1000} s`)),
    milliseconds,
  );
  try {
    return await Promise.race([work, timeout.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Settings of another service in this environment are not those of the trial. */
function ownEnvironment(): Record<string, string> {
  const entries = Object.entries(Deno.env.toObject());
  const others = entries.filter(([name]) => !name.startsWith("TOPFIVE_"));
  // As the start script sets it.
  return { MALLOC_ARENA_MAX: "1", ...Object.fromEntries(others) };
}

/**
 * The address that a service prints when its model is loaded; null when none comes. What it prints is
 * read to the end, so that it never waits for a reader.
 */
export async function servedAddress(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<string | null> {
  const { promise, resolve } = Promise.withResolvers<string | null>();
  let text = "";
  void (async () => {
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      text = (text + chunk).slice(-4000);
      const address = /^topfive serves .* at (http:\S+)$/m.exec(text)?.[1];
      if (address !== undefined) resolve(address);
    }
    resolve(null);
  })();
  return await promise;
}

function lastWords(log: string): string {
  const lines = log.trimEnd().split("\n");
  return (lines.findLast((line) => line.startsWith("topfive: ")) ?? lines.at(-1) ?? "")
    .replace(/^topfive: /, "");
}
