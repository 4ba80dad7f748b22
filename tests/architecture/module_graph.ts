import { fromFileUrl, join, relative, toFileUrl } from "@std/path";

/** One import statement, or one file that a module starts as a Worker or loads by its URL. */
export interface Import {
  /** As it stands in the source: "../gpu/device.ts", "zod", "npm:zod@4.6.7". */
  readonly specifier: string;
  /** What it means: a path from the repository's root, or "npm:name@version/…" and the like. */
  readonly target: string;
  /** What for: to run it on import, for its types alone, or by its URL (a Worker). */
  readonly use: "code" | "types" | "url";
}

/** A source file, by its path from the repository's root, with what it imports. */
export interface Module {
  readonly path: string;
  readonly imports: readonly Import[];
}

interface InfoDependency {
  specifier: string;
  code?: { specifier?: string };
  type?: { specifier?: string };
}

interface InfoOutput {
  modules: { specifier: string; error?: string; dependencies?: InfoDependency[] }[];
}

/** The parts of the repository that hold TypeScript. */
const FOLDERS = ["shared", "training", "inference", "infra", "tests"];

/**
 * Reads the imports of every TypeScript file of the repository as `deno info` resolves them: types,
 * dynamic imports and text imports too. `deno info` takes one root, so it is given a made-up module
 * that imports every file; nothing of it is run.
 */
export async function readModuleGraph(root: string): Promise<Module[]> {
  const files = FOLDERS.flatMap((folder) => [...listFiles(root, folder)])
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts"));
  const modules = new Map<string, Module>();
  for (const { specifier, error, dependencies = [] } of (await info(root, files)).modules) {
    if (!specifier.startsWith("file:")) continue;
    const path = relative(root, fromFileUrl(specifier));
    if (!files.includes(path)) continue;
    if (error) throw new Error(`Cannot read the imports of ${path}: ${error}`);
    const urls = loadedByUrl(specifier, await Deno.readTextFile(join(root, path)));
    modules.set(path, {
      path,
      imports: [...dependencies.flatMap((dependency) => resolved(dependency)), ...urls]
        .map((each) => ({ ...each, target: repositoryPath(root, each.target) })),
    });
  }
  const unread = files.filter((path) => !modules.has(path));
  if (unread.length > 0) throw new Error(`Cannot read the imports of ${unread.join(", ")}`);
  return [...modules.values()];
}

/** Every file under `folder`, as paths from `root`. */
export function* listFiles(root: string, folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(join(root, folder))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* listFiles(root, path);
    else if (entry.isFile) yield path;
  }
}

async function info(root: string, files: readonly string[]): Promise<InfoOutput> {
  const entry = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const imports = files.map((path) => `import "${toFileUrl(join(root, path))}";\n`);
    await Deno.writeTextFile(entry, imports.join(""));
    const { success, stdout, stderr } = await new Deno.Command("deno", {
      args: ["info", "--json", "--config", join(root, "deno.json"), entry],
    }).output();
    const decoder = new TextDecoder();
    if (!success) throw new Error(`deno info failed: ${decoder.decode(stderr)}`);
    return JSON.parse(decoder.decode(stdout));
  } finally {
    await Deno.remove(entry);
  }
}

function resolved({ specifier, code, type }: InfoDependency): Import[] {
  const target = code?.specifier ?? type?.specifier;
  return target === undefined ? [] : [{ specifier, target, use: code ? "code" : "types" }];
}

/** Workers and other modules named by `new URL("./x.ts", import.meta.url)`, which are no imports. */
function loadedByUrl(from: string, source: string): Import[] {
  const pattern =
    /new URL\(\s*"(\.{1,2}\/[^"]+\.ts)",\s*import\.meta\.url|import\.meta\.resolve\(\s*"(\.{1,2}\/[^"]+\.ts)"/g;
  return [...source.matchAll(pattern)].map((match) => {
    const specifier = match[1] ?? match[2] ?? "";
    return { specifier, target: new URL(specifier, from).href, use: "url" };
  });
}

function repositoryPath(root: string, target: string): string {
  return target.startsWith("file:") ? relative(root, fromFileUrl(target)) : target;
}
