/** A container engine for a test: the one that DOCKER_HOST names, or a daemon of the test's own. */
import { fromFileUrl, join } from "@std/path";

const folder = fromFileUrl(new URL("./", import.meta.url));

/** Runs a command by the shell, which the tests may start; resolves to what it printed. */
export async function shell(
  command: string,
  env: Record<string, string> = {},
  ...args: string[]
): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command("/bin/sh", {
    args: ["-euc", command, "sh", ...args],
    env,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}: ${text(stdout)}${text(stderr)}`);
  return text(stdout);
}

/** Whether every program is on PATH. */
export async function hasPrograms(...names: string[]): Promise<boolean> {
  const { success } = await new Deno.Command("/bin/sh", {
    args: ["-c", 'for name; do command -v "$name" || exit 1; done', "sh", ...names],
    stdout: "null",
  }).output();
  return success;
}

export class ContainerEngine implements AsyncDisposable {
  readonly #folder: string;
  readonly #daemon: Deno.ChildProcess;
  readonly #env: Record<string, string>;

  private constructor(folder: string, daemon: Deno.ChildProcess) {
    this.#folder = folder;
    this.#daemon = daemon;
    // The classic builder is part of the daemon; the other is a plugin that may not be there.
    this.#env = { DOCKER_HOST: `unix://${folder}/socket`, DOCKER_BUILDKIT: "0" };
  }

  static async start(): Promise<ContainerEngine> {
    const home = await Deno.makeTempDir({ prefix: "topfive-engine-" });
    const daemon = new Deno.Command("/bin/sh", {
      args: [join(folder, "engine.sh"), home],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const engine = new ContainerEngine(home, daemon);
    await engine.docker("for i in $(seq 100); do docker info && exit; sleep 0.2; done; exit 1");
    return engine;
  }

  /** Runs a shell's command line with the engine as Docker's. */
  docker(command: string, ...args: string[]): Promise<string> {
    return shell(command, this.#env, ...args);
  }

  /** The base image of the Containerfiles, made without a registry. */
  async makeBaseImage(tag: string): Promise<void> {
    await this.docker('sh "$@"', join(folder, "base_image.sh"), tag, Deno.execPath());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#daemon.kill("SIGTERM");
    await this.#daemon.status;
    await shell(
      'grep -o " $1[^ ]*" /proc/mounts | sort -r | xargs -r -n 1 umount -l; rm -rf "$1"',
      {},
      this.#folder,
    );
  }
}
