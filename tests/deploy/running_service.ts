/** A started service as its operator sees it: an address, a log, an exit code. */
import { openPort } from "../object_store/port.ts";

export { openPort };

export interface RunningService extends AsyncDisposable {
  readonly url: string;
  /** `POST /v1/classify`; the label of the best answer. */
  classify(image: Uint8Array<ArrayBuffer>, headers?: HeadersInit): Promise<string>;
  /** Ends it by `signal`; resolves to its exit code and what it printed. */
  stop(signal: Deno.Signal): Promise<{ code: number; output: string }>;
}

/**
 * Starts a command that listens on `port` of this machine and waits until it is ready.
 *
 * @throws {Error} with the output of the command, when it is not ready within a minute.
 */
export async function startService(
  command: string,
  args: readonly string[],
  { port, env }: { port: number; env: Record<string, string> },
): Promise<RunningService> {
  const child = new Deno.Command(command, {
    args: [...args],
    env: { NO_COLOR: "1", ...env },
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.output().then(({ code, stdout, stderr }) => ({
    code,
    output: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr),
  }));
  const url = `http://127.0.0.1:${port}`;
  const kill = (signal: Deno.Signal) => {
    try {
      child.kill(signal);
    } catch {
      // It has ended by itself.
    }
  };
  const service: RunningService = {
    url,
    async classify(body, headers = {}) {
      const answer = await fetch(`${url}/v1/classify`, { method: "POST", body, headers });
      const found = await answer.json();
      const label = found.predictions?.[0]?.label;
      if (typeof label !== "string") throw new Error(`No label: ${JSON.stringify(found)}`);
      return label;
    },
    stop(signal) {
      kill(signal);
      return output;
    },
    async [Symbol.asyncDispose]() {
      kill("SIGKILL");
      await output;
    },
  };
  if (await untilReady(url, output)) return service;
  kill("SIGKILL");
  throw new Error(`${command} was not ready within a minute: ${(await output).output}`);
}

async function untilReady(url: string, ended: Promise<unknown>): Promise<boolean> {
  let running = true;
  void ended.then(() => running = false);
  for (const deadline = Date.now() + 60_000; running && Date.now() < deadline;) {
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}
