import { existsSync, readdirSync, readFileSync, statfsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type Finding, reason } from "./finding.ts";

const GIB = 2 ** 30;
/** The demo writes about 0.2 GiB; a run of full-size AlexNet keeps checkpoints of 0.5 GiB each. */
const NEEDED_DISK = 2 * GIB;

/** Whether `folder`, or the nearest parent that exists, can be written, and the disk space there. */
export function inspectFolder(name: string, folder: string): Finding[] {
  let existing = resolve(folder);
  while (!existsSync(existing)) existing = dirname(existing);
  return [writable(name, folder, existing), freeDisk(existing)];
}

function writable(name: string, folder: string, existing: string): Finding {
  const probe = join(existing, `.topfive-${crypto.randomUUID()}`);
  try {
    Deno.writeTextFileSync(probe, "");
    Deno.removeSync(probe);
    return { topic: "files", name, status: "ok", value: `${folder} is writable` };
  } catch (error) {
    return {
      topic: "files",
      name,
      status: "missing",
      value: `${folder} is not writable: ${reason(error)}`,
      advice: `give yourself the right to write ${existing}, or name another folder`,
    };
  }
}

function freeDisk(folder: string): Finding {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const little = free < NEEDED_DISK;
  return {
    topic: "files",
    name: "free disk",
    status: little ? "note" : "ok",
    value: `${(free / GIB).toFixed(1)} GiB under ${folder}`,
    ...(little && { advice: "a run of full-size AlexNet wants 2 GiB: free some space first" }),
  };
}

/** Whether every npm package of the lock file lies in Deno's cache, so that no start needs a network. */
export function inspectPackages(lockFile: string, npmCache: string): Finding {
  const lock = JSON.parse(readFileSync(lockFile, "utf8")) as { npm?: Record<string, unknown> };
  const packages = Object.keys(lock.npm ?? {}).map(packageFolder);
  // One folder a registry: the cache of a mirror serves as well as that of npmjs.org.
  const registries = existsSync(npmCache) ? readdirSync(npmCache) : [];
  const absent = packages.filter((path) =>
    !registries.some((registry) => existsSync(join(npmCache, registry, path)))
  );
  if (absent.length === 0) {
    return {
      topic: "files",
      name: "npm packages",
      status: "ok",
      value: `all ${packages.length} of deno.lock in ${npmCache}`,
    };
  }
  return {
    topic: "files",
    name: "npm packages",
    status: "missing",
    value: `${absent.length} of ${packages.length} not in ${npmCache}: ${absent.join(", ")}`,
    advice: "connect to the npm registry and run: deno ci",
  };
}

/** "@scope/name@1.2.3_peer@4.5.6" of the lock file to its folder in the cache, "@scope/name/1.2.3". */
export function packageFolder(id: string): string {
  const at = id.indexOf("@", 1);
  const version = id.slice(at + 1).split("_", 1)[0] ?? "";
  return `${id.slice(0, at)}/${version}`;
}
