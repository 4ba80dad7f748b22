/**
 * Bundles the service: one script, and beside it the WebAssembly and the pages' files that it reads.
 * What it makes needs Deno and nothing else: no npm cache, no network, no sources.
 */
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { SMALL_YOUNG_GENERATION } from "../../inference/permissions.ts";
import { CACHE, warmBundle } from "./warm.ts";
import entry from "./entry.ts" with { type: "text" };

const HELP = `Bundles the service into one script and the files that it reads

Usage: ./topfive bundle [--out FOLDER] [--warm]

  --out FOLDER   where to put topfive.js and what lies beside it; default .topfive/bundle
  --warm         start it there once, so that FOLDER/cache holds V8's compiled code: as DENO_DIR it
                 halves the time of a start. It may be read-only, and is of use at this path, with
                 this Deno and ${SMALL_YOUNG_GENERATION} alone

Example:
  ./topfive bundle --warm
  DENO_DIR=.topfive/bundle/cache deno run ${SMALL_YOUNG_GENERATION} --allow-read=.topfive/bundle,/srv/models --allow-net=127.0.0.1:8000 --allow-env \\
    .topfive/bundle/topfive.js --store /srv/models`;

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Where the service's own assets may lie; a bundle names them by their last part alone. */
const ASSET_FOLDERS = ["inference", "shared"];

/** What onnxruntime-web imports from beside itself: its WebAssembly's JavaScript. */
const ORT_GLUE = "ort-wasm-simd-threaded.mjs";

/** A file of the bundle and where it is now. */
export interface Asset {
  readonly name: string;
  readonly source: URL;
}

/**
 * Gives a bundled script the addresses that hold where it lies: workers become the script itself
 * with `?worker=NAME`, and files of packages lie beside it.
 *
 * @param workers names that the entry knows
 * @throws {Error} for a worker that the entry does not start.
 */
export function relocate(
  script: string,
  workers: readonly string[],
  resolve: (specifier: string) => string,
): { script: string; assets: Asset[] } {
  const assets: Asset[] = [];
  const relocated = script
    .replaceAll(/new URL\("(?:\.{1,2}\/)+([\w/]+)\.ts", ?import\.meta\.url\)/g, (_, path) => {
      const name = basename(path);
      if (workers.includes(name)) return `new URL("?worker=${name}",import.meta.url)`;
      throw new Error(`Cannot bundle the worker ${name}: add it to infra/bundle/entry.ts`);
    })
    .replaceAll(/import\.meta\.resolve\("([^"]+)"\)/g, (_, specifier) => {
      const name = basename(specifier);
      assets.push({ name, source: new URL(resolve(specifier)) });
      return `new URL("${name}",import.meta.url).href`;
    })
    .replaceAll("__dirname", 'import.meta.dirname+"/codecs"');
  const left = /import\.meta\.resolve\(.{0,60}/.exec(relocated);
  if (left) throw new Error(`Cannot bundle ${left[0]}…: the file must be named by a literal`);
  return { script: relocated, assets };
}

/** Files of ours that the script reads by `new URL("NAME", import.meta.url)`. */
async function ownAssets(script: string): Promise<Asset[]> {
  const names = [
    ...script.matchAll(/new URL\("(?:\.{0,2}\/)*([\w/]+\.wasm)", ?import\.meta\.url\)/g),
  ].map(([, path]) => basename(path!));
  const assets: Asset[] = [];
  for (const folder of ASSET_FOLDERS) {
    for (const { path, name } of await filesBelow(join(root, folder))) {
      if (names.includes(name)) assets.push({ name, source: pathToFileURL(path) });
    }
  }
  return assets;
}

async function filesBelow(folder: string): Promise<{ path: string; name: string }[]> {
  const files: { path: string; name: string }[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) files.push(...await filesBelow(path));
    else files.push({ path, name });
  }
  return files;
}

/** Outside npm's packages Deno finds Node's modules by their whole names alone. */
function prefixBuiltIns(script: string): string {
  return script.replaceAll(/import\("(module|worker_threads)"\)/g, 'import("node:$1")');
}

/** What packages read by paths that no rewriting sees. */
function packageAssets(): Asset[] {
  const runtime = import.meta.resolve("onnxruntime-web");
  return [
    ...[ORT_GLUE, ORT_GLUE.replace("mjs", "wasm")].map((name) => ({
      name,
      source: new URL(name, runtime),
    })),
    // ImageScript reads `../any/NAME.wasm` from its own folder.
    {
      name: "any/gif.wasm",
      source: new URL("../any/gif.wasm", import.meta.resolve("imagescript/wasm/node/gif.js")),
    },
  ];
}

/** Writes the bundle into `folder`, which is made; returns the names of its files. */
export async function bundleService(folder: string): Promise<string[]> {
  await Deno.mkdir(join(folder, "any"), { recursive: true });
  const file = join(folder, "topfive.js");
  const { code, stderr } = await new Deno.Command("deno", {
    args: ["bundle", "--quiet", "--minify", "--output", file, join(root, "infra/bundle/entry.ts")],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  if (code !== 0) throw new Error(`Cannot bundle the service: ${new TextDecoder().decode(stderr)}`);
  const bundled = await Deno.readTextFile(file);
  const workers = [...entry.matchAll(/case "(\w+)"/g)].map(([, name]) => name!);
  const { script, assets } = relocate(
    bundled,
    workers,
    (specifier) => import.meta.resolve(specifier),
  );
  await Deno.writeTextFile(file, script);
  const all = [...assets, ...await ownAssets(script), ...packageAssets()];
  for (const { name, source } of all) await Deno.copyFile(source, join(folder, name));
  const glue = join(folder, ORT_GLUE);
  await Deno.writeTextFile(glue, prefixBuiltIns(await Deno.readTextFile(glue)));
  return ["topfive.js", ...all.map(({ name }) => name)];
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      out: { type: "string", default: join(root, ".topfive/bundle") },
      warm: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
  } else {
    let bytes = 0;
    for (const name of await bundleService(values.out)) {
      const { size } = await Deno.stat(join(values.out, name));
      bytes += size;
      console.log(`${(size / 1e6).toFixed(2).padStart(8)} MB  ${name}`);
    }
    if (values.warm) {
      await warmBundle(values.out);
      console.log(`         and a start's compiled code in ${join(values.out, CACHE)}`);
    }
    console.log(`${(bytes / 1e6).toFixed(2).padStart(8)} MB  in ${values.out}`);
  }
}
