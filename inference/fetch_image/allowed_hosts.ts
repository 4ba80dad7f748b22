import { ProblemError } from "../problem.ts";

/** A host, or with `*.` in front whatever lies below it, and the port that may be asked. */
interface AllowedHost {
  readonly name: string;
  readonly below: boolean;
  readonly port: number;
}

const ENTRY =
  /^(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*)(:\d{1,5})?$/;

/** The hosts whose images the operator lets clients name by address. */
export class AllowedHosts {
  readonly #hosts: readonly AllowedHost[];

  /**
   * `text`: names separated by commas: `images.example.org`, `*.example.org` for everything below it,
   * each with `:port` where it is not 443.
   *
   * @throws {SyntaxError} naming the entry that is none of these.
   */
  constructor(text: string) {
    this.#hosts = text.split(/[\s,]+/).filter((entry) => entry !== "").map((entry) => {
      const [, below, name, , , , port] = ENTRY.exec(entry.toLowerCase()) ?? [];
      if (name === undefined) {
        throw new SyntaxError(
          `Cannot read the host ${JSON.stringify(entry)}: expected a name such as ` +
            "images.example.org, *.example.org or images.example.org:8443",
        );
      }
      return { name, below: below !== undefined, port: Number(port?.slice(1) ?? 443) };
    });
  }

  /** True where no host is allowed. */
  get none(): boolean {
    return this.#hosts.length === 0;
  }

  /** What Deno's `--allow-net` takes. Its `*.example.org` also has example.org itself; ours has not. */
  get permissions(): string[] {
    return this.#hosts.map(({ name, below, port }) => `${below ? "*." : ""}${name}:${port}`);
  }

  /**
   * Requires an https address of an allowed host, without a user and a password.
   *
   * @throws {ProblemError} `image-url-refused`
   */
  require(address: string, base?: URL): URL {
    const url = parse(address, base);
    if (url.protocol !== "https:") throw refused(`${url.protocol} is not https:`);
    if (url.username !== "" || url.password !== "") {
      throw refused("the address has a user or a password in it");
    }
    const port = url.port === "" ? 443 : Number(url.port);
    const allowed = this.#hosts.some((host) =>
      host.port === port &&
      (host.below ? url.hostname.endsWith(`.${host.name}`) : url.hostname === host.name)
    );
    if (!allowed) throw refused(`${url.host} is not a host that this service fetches from`);
    return url;
  }
}

function parse(address: string, base: URL | undefined): URL {
  try {
    return new URL(address, base);
  } catch {
    throw refused("the address cannot be read");
  }
}

export function refused(reason: string): ProblemError {
  return new ProblemError("image-url-refused", `Cannot fetch the image: ${reason}`);
}
