/** How the benches start Deno again: with the packages' versions, without this machine's settings. */
import { fromFileUrl } from "@std/path";

export const ROOT: string = fromFileUrl(new URL("../../", import.meta.url));

/**
 * The workspace's settings would ask for every package of every part of it before the first line
 * runs; the import map alone asks for those that are used, which are few enough to carry along.
 */
export const DENO_FLAGS: readonly string[] = [
  "--no-config",
  "--no-lock",
  "--no-check",
  `--import-map=${ROOT}deno.json`,
];
