import { readVerifyingKey, type VerifyingKey } from "../../shared/registry/signature.ts";

/** 32 bytes in base64; no path of a file looks like this. */
const KEY = /^[A-Za-z0-9+/]{43}=$/;

/** The files that a setting names, for the process's permissions. */
export function trustedKeyFiles(setting: string): string[] {
  return entriesOf(setting).filter((entry) => !KEY.test(entry));
}

/**
 * The keys of the setting `--require-signature`: public keys, or files with one a line, where `#`
 * begins a comment. During a rotation both the old and the new key are named.
 *
 * @returns undefined where the setting is empty: then no signature is asked for.
 * @throws {SyntaxError} for what is no key, and for a file without any.
 */
export async function readTrustedKeys(
  setting: string,
): Promise<readonly VerifyingKey[] | undefined> {
  const keys: VerifyingKey[] = [];
  for (const entry of entriesOf(setting)) {
    const texts = KEY.test(entry) ? [entry] : await readKeyFile(entry);
    keys.push(...await Promise.all(texts.map(readVerifyingKey)));
  }
  return keys.length === 0 ? undefined : keys;
}

function entriesOf(setting: string): string[] {
  return setting.split(",").map((entry) => entry.trim()).filter((entry) => entry !== "");
}

async function readKeyFile(path: string): Promise<string[]> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new SyntaxError(
      `Cannot read public key: "${path}" is neither a key nor a file (topfive models key prints ` +
        "a key)",
      { cause },
    );
  }
  const lines = text.split("\n").map((line) => line.replace(/#.*/, "").trim()).filter(Boolean);
  if (lines.length > 0) return lines;
  throw new SyntaxError(`Cannot read public keys: ${path} has none (one a line)`);
}
