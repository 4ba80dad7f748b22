import { showProgress } from "../dataset/show_progress.ts";
import { dataCache, fetchSet } from "../fetch/fetch_set.ts";
import { PUBLISHED_SETS, type PublishedSet } from "../fetch/published_sets.ts";
import { nearestName } from "../nearest_name.ts";
import { readArguments } from "./arguments.ts";
import { formatBytes } from "../../shared/byte_size.ts";
import { runCommand } from "./command.ts";

const bytesOf = ({ files }: PublishedSet) => files.reduce((sum, { bytes }) => sum + bytes, 0);

const HELP = `\
Download a published image set, checked by size and sha256

Usage: topfive data fetch NAME [options]

Sets:
${
  PUBLISHED_SETS.map((set) =>
    `  ${set.name.padEnd(10)}  ${set.summary} (${formatBytes(bytesOf(set))})`
  ).join("\n")
}

Options:
  --cache DIR        where sets are kept (default: ${"$XDG_CACHE_HOME/topfive/data"})
  --mirror DIR|URL   take the files from this folder or address, which has them as DIR/NAME/FILE or
                     DIR/FILE: for machines without a network
  --json             print the set's name, path and next command as one JSON object
  --help             show this text

A download that was interrupted goes on where it stopped. Files that are there are checked and kept.
The sets have licences of their own: see where they are published.

Examples
  topfive data fetch mnist
  topfive data fetch flowers --mirror /media/usb/sets`;

interface Given {
  readonly set: PublishedSet;
  readonly cache: string;
  readonly mirror: string | undefined;
  readonly json: boolean;
}

/** `topfive data fetch NAME`, see its --help. */
export function dataFetchCommand(args: readonly string[]): Promise<number> {
  return runCommand({ name: "data fetch", help: () => HELP, read, run }, args);
}

function read(args: readonly string[]): Given {
  const known = { cache: "value", mirror: "value", json: "switch" } as const;
  const { options, positionals: [name, ...rest] } = readArguments("fetch data", args, known);
  const names = PUBLISHED_SETS.map(({ name }) => name);
  if (name === undefined) {
    throw new SyntaxError(`Cannot fetch data: no set given (expected ${names.join(", ")})`);
  }
  if (rest.length > 0) {
    throw new SyntaxError(`Cannot fetch data: one set at a time (${rest.join(", ")})`);
  }
  const set = PUBLISHED_SETS.find((set) => set.name === name);
  if (!set) {
    const nearest = nearestName(name, names);
    const hint = nearest ? `did you mean ${nearest}?` : `expected ${names.join(", ")}`;
    throw new SyntaxError(`Cannot fetch data: ${name} is no set that is known here (${hint})`);
  }
  const { cache = dataCache(), mirror, json = false } = options;
  return { set, cache, mirror, json };
}

async function run({ set, cache, mirror, json }: Given): Promise<number> {
  const progressOf = ({ name }: { name: string }) => showProgress(name, "bytes");
  const path = await fetchSet(set, { cache, mirror, progressOf });
  const next = set.next(path);
  if (json) console.log(JSON.stringify({ name: set.name, path, next }));
  else console.log(`${path}: ${set.summary}\nNext: ${next}`);
  return 0;
}
