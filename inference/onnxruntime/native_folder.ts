import { fromFileUrl } from "@std/path";

/** Where `./topfive add onnxruntime-node` installs the package, and Deno must allow native code. */
export function nativeFolder(): string {
  return fromFileUrl(new URL("../../.topfive/onnxruntime-node", import.meta.url));
}
