import { resolve } from "@std/path";
import { fileURLToPath } from "node:url";
import { type Config, ENVIRONMENT, readConfig } from "./config.ts";

/**
 * The Deno permissions that `serve.ts` needs for these settings, and no more: it writes nothing,
 * starts nothing and loads no native code.
 *
 * - read: the store, and Deno's npm cache, from which onnxruntime-web and ImageScript read their
 *   WebAssembly;
 * - net: the one address to listen on;
 * - env: the settings, and a switch that ImageScript asks for.
 */
export function permissionFlags(
  config: Pick<Config, "store" | "host" | "port">,
  npmCache: string,
): string[] {
  const host = config.host.includes(":") ? `[${config.host}]` : config.host;
  const store = config.store.startsWith("file:") ? fileURLToPath(config.store) : config.store;
  return [
    "--no-prompt",
    `--allow-read=${resolve(store)},${npmCache}`,
    `--allow-net=${host}:${config.port}`,
    `--allow-env=${[...ENVIRONMENT, "IMAGESCRIPT_WASM_SIMD"].join(",")}`,
  ];
}

/** Where Deno keeps npm packages; asks `deno` itself, because DENO_DIR and platforms differ. */
export async function npmCacheFolder(): Promise<string> {
  const { stdout } = await new Deno.Command("deno", { args: ["info", "--json"] }).output();
  const { npmCache } = JSON.parse(new TextDecoder().decode(stdout)) as { npmCache: string };
  return npmCache;
}

/** Settings that cannot be read get the defaults here: `serve.ts` is the one to say what is wrong. */
function configOrDefaults(args: readonly string[]): Config {
  try {
    return readConfig(args, (name) => Deno.env.get(name));
  } catch (error) {
    if (error instanceof SyntaxError) return readConfig([], () => undefined);
    throw error;
  }
}

if (import.meta.main) {
  // One flag a line, so that a shell can split where a path has spaces.
  const flags = permissionFlags(configOrDefaults(Deno.args), await npmCacheFolder());
  console.log(flags.join("\n"));
}
