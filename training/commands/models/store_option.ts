/** What the commands of the registry have in common on the command line. */
export const STORE_HELP =
  "--store STORE  the object store: a folder, or s3://bucket/prefix with the usual AWS variables";

/** @throws {SyntaxError} when the option was not given. */
export function requireStore(action: string, store: string | undefined): string {
  if (store !== undefined) return store;
  throw new SyntaxError(`Cannot ${action}: --store is missing (a folder or s3://bucket/prefix)`);
}

/**
 * The words that a command takes, all of them and no more.
 *
 * @throws {SyntaxError} naming what was expected.
 */
export function requireWords<const Names extends readonly string[]>(
  action: string,
  names: Names,
  words: readonly string[],
): { readonly [Index in keyof Names]: string } {
  if (words.length === names.length) {
    return words as unknown as { readonly [Index in keyof Names]: string };
  }
  throw new SyntaxError(`Cannot ${action}: expected ${names.join(" ")}, got ${words.length} words`);
}
