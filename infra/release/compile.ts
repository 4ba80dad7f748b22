/**
 * Compiles the service and the command line into programs that need nothing installed. `deno compile`
 * fetches the runtime of the target from Deno's download site, so this runs in the release alone.
 */
import { join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const HELP = `Compiles the programs of a release

Usage: ./topfive compile [--target TARGET] [--out FOLDER] [--dry-run]

  --target TARGET   x86_64-unknown-linux-gnu, aarch64-apple-darwin, x86_64-pc-windows-msvc, …;
                    this machine's when left out
  --out FOLDER      default .topfive/programs
  --dry-run         print the commands alone

Example:
  ./topfive compile --target x86_64-pc-windows-msvc --out dist`;

const root = fileURLToPath(new URL("../../", import.meta.url));

/** What a program is made of, and what it may do: its settings are not known when it is compiled. */
const PROGRAMS = [
  {
    name: "topfive-serve",
    entry: "inference/serve.ts",
    folder: "inference",
    permissions: ["--allow-read", "--allow-net", "--allow-env"],
  },
  {
    name: "topfive",
    entry: "training/main.ts",
    folder: "training",
    permissions: ["--allow-read", "--allow-write", "--allow-net", "--allow-env", "--allow-sys"],
  },
] as const;

/** Modules below a folder that are started by their address, which no import names. */
export async function workersOf(folder: string): Promise<string[]> {
  const workers = new Set<string>();
  for await (const path of sourcesBelow(folder)) {
    const text = await Deno.readTextFile(path);
    for (const [, module] of text.matchAll(/new URL\("([^"]+_worker\.ts)", import\.meta\.url\)/g)) {
      workers.add(relative(root, fileURLToPath(new URL(module!, pathToFileURL(path)))));
    }
  }
  return [...workers].sort();
}

async function* sourcesBelow(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) yield* sourcesBelow(path);
    else if (/(?<!_test)\.ts$/.test(name)) yield path;
  }
}

/** The arguments of `deno compile`, one program each. */
export async function compileCommands(out: string, target?: string): Promise<string[][]> {
  const commands: string[][] = [];
  for (const { name, entry, folder, permissions } of PROGRAMS) {
    const workers = await workersOf(join(root, folder));
    commands.push([
      "compile",
      ...permissions,
      "--no-prompt",
      // The lock file's packages that neither program imports are those of tests and benches.
      "--exclude-unused-npm",
      ...workers.map((worker) => `--include=${worker}`),
      ...(target === undefined ? [] : [`--target=${target}`]),
      `--output=${join(out, target === undefined ? name : `${name}-${target}`)}`,
      entry,
    ]);
  }
  return commands;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      target: { type: "string" },
      out: { type: "string", default: join(root, ".topfive/programs") },
      "dry-run": { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  for (const args of await compileCommands(values.out, values.target)) {
    console.log(`deno ${args.join(" ")}`);
    if (values["dry-run"]) continue;
    const { code } = await new Deno.Command("deno", { args, cwd: root }).spawn().status;
    if (code !== 0) return code;
  }
  return 0;
}

if (import.meta.main) Deno.exit(await main());
