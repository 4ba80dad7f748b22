import { resolve } from "@std/path";
import { fileURLToPath } from "node:url";
import { type StorePermissions, storePermissions } from "../shared/object_store/open_store.ts";
import { S3_VARIABLES } from "../shared/object_store/s3/location.ts";
import { nativeFolder } from "./onnxruntime/native_folder.ts";
import { type Config, ENVIRONMENT, readConfig } from "./config.ts";
import { incomingAddress } from "./feedback/incoming.ts";
import { AllowedHosts } from "./fetch_image/allowed_hosts.ts";
import { trustedKeyFiles } from "./models/trusted_keys.ts";

const SOURCES = ["./", "../shared/"].map((folder) =>
  resolve(fileURLToPath(new URL(folder, import.meta.url)))
);

/**
 * Each thread's young objects get 1 MiB and not 16: what is large here lies outside of V8's heap.
 * Together with `MALLOC_ARENA_MAX=1`, one heap of the C library for all threads, the service with
 * AlexNet's int8 form held 290 MB at its peak on onnxruntime-web in place of 392 (2026-11-28).
 */
export const SMALL_YOUNG_GENERATION = "--v8-flags=--max-semi-space-size=1";

/**
 * The Deno permissions that `serve.ts` needs for these settings, and no more: it starts nothing, loads
 * no native code but onnxruntime-node where it is asked for, and writes nothing but corrections and a
 * cache of weights, where the settings say so.
 *
 * - read: the store's folder or its AWS profile; the cache; files of public keys; Deno's npm cache,
 *   from which onnxruntime-web and the decoders read their WebAssembly; this code itself, from which
 *   workers are started. Links in the store lead where whoever writes it points them;
 * - net: the one address to listen on, the store's where it is a bucket, and the hosts that images may
 *   be fetched from;
 * - write: the cache; the store's folder for corrections, where they are taken and the store is a
 *   folder;
 * - sys: the memory limit of the container, which decides the variant;
 * - v8-flags are no permission, and travel with them;
 * - env: the settings, the bucket's variables, and a switch that ImageScript asks for.
 */
export function permissionFlags(
  config:
    & Pick<Config, "store" | "host" | "port">
    & Partial<
      Pick<Config, "requireSignature" | "fetchHosts" | "weightsCache" | "feedback" | "runtime">
    >,
  npmCache: string,
): string[] {
  const host = config.host.includes(":") ? `[${config.host}]` : config.host;
  const store = permissionsOf(config.store);
  const cache = config.weightsCache === undefined ? [] : [resolve(config.weightsCache)];
  const native = config.runtime === "onnxruntime-node" ? [nativeFolder()] : [];
  const keys = trustedKeyFiles(config.requireSignature ?? "").map((path) => resolve(path));
  const net = [
    `${host}:${config.port}`,
    ...store.net,
    ...hostsToFetchFrom(config.fetchHosts ?? ""),
  ];
  const written = [...cache, ...(config.feedback ? foldersForCorrections(config.store) : [])];
  return [
    "--no-prompt",
    `--allow-read=${[...store.read, ...cache, ...native, ...keys, npmCache, ...SOURCES].join(",")}`,
    ...native.map((folder) => `--allow-ffi=${folder}`),
    `--allow-net=${net.join(",")}`,
    ...(written.length === 0 ? [] : [`--allow-write=${written.join(",")}`]),
    "--allow-sys=systemMemoryInfo",
    `--allow-env=${[...ENVIRONMENT, ...store.env, "IMAGESCRIPT_WASM_SIMD"].join(",")}`,
    SMALL_YOUNG_GENERATION,
  ];
}

/** A store that cannot be opened needs nothing: `serve.ts` is the one to say what is wrong with it. */
function permissionsOf(store: string): StorePermissions {
  try {
    return storePermissions(store);
  } catch {
    return { read: [], net: [], env: S3_VARIABLES };
  }
}

/** A bucket's permission to write is that of its keys. */
function foldersForCorrections(store: string): readonly string[] {
  return /^s3:/i.test(store) ? [] : permissionsOf(incomingAddress(store)).read;
}

/** Hosts that cannot be read are none: `serve.ts` is the one to say what is wrong with them. */
function hostsToFetchFrom(setting: string): string[] {
  try {
    return new AllowedHosts(setting).permissions;
  } catch {
    return [];
  }
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
