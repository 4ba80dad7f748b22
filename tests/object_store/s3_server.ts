/** A real S3 server for a test: versitygw (Apache-2.0), which the start script builds once. */
import { join, resolve } from "node:path";
import { openPort } from "./port.ts";

export const S3_USER = "topfive-test";
export const S3_SECRET = "not-a-secret";
const SERVER = resolve(import.meta.dirname!, "../../.topfive/bin/versitygw");
const STARTUP_MS = 10_000;

/** Whether the server was built; without Go it cannot be, and its tests say so by their names. */
export const hasS3Server = await Deno.stat(SERVER).then(() => true, () => false);

export class S3Server implements AsyncDisposable {
  readonly #folder: string;
  readonly #port: number;
  #process: Deno.ChildProcess;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
    this.#process = this.#spawn();
  }

  /** Starts a server with the named buckets in a temporary folder. */
  static async start(...buckets: string[]): Promise<S3Server> {
    const folder = await Deno.makeTempDir();
    for (const bucket of buckets) {
      await Deno.mkdir(join(folder, "data", bucket), { recursive: true });
    }
    const server = new S3Server(folder, openPort());
    await server.#ready();
    return server;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Ends it as a failing machine would, in the middle of whatever it does. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
  }

  async restart(): Promise<void> {
    this.#process = this.#spawn();
    await this.#ready();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill().catch(() => {});
    await Deno.remove(this.#folder, { recursive: true });
  }

  #spawn(): Deno.ChildProcess {
    return new Deno.Command(SERVER, {
      args: ["--port", `127.0.0.1:${this.#port}`, "--quiet", "posix", join(this.#folder, "data")],
      env: { ROOT_ACCESS_KEY: S3_USER, ROOT_SECRET_KEY: S3_SECRET },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  async #ready(): Promise<void> {
    const deadline = Date.now() + STARTUP_MS;
    while (Date.now() < deadline) {
      const answer = await fetch(this.endpoint).catch(() => null);
      await answer?.body?.cancel();
      if (answer !== null) return;
      await new Promise((done) => setTimeout(done, 20));
    }
    throw new Error(`Cannot start ${SERVER}: it did not answer within ${STARTUP_MS / 1000} s`);
  }
}
