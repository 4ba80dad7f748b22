import { Buffer } from "node:buffer";
import { Header } from "tar/header";
import { Pax } from "tar/pax";
import { escapes, type Range, type SourceFiles } from "./source_files.ts";

/** A member of an archive, by its place; its bytes are not read. */
export interface TarEntry {
  readonly name: string;
  readonly range: Range;
  /** Null for a file that is whole; else why it is not to be read. */
  readonly problem: string | null;
}

const BLOCK = 512;
/** A name or an extended header longer than this is no name. */
const MOST_EXTENSION_BYTES = 2 ** 20;
const FILES: readonly string[] = ["File", "OldFile", "ContiguousFile"];
const LINKS: readonly string[] = ["Link", "SymbolicLink"];

/**
 * The members of a tar archive (ustar, pax, GNU's long names) in their order, by their headers
 * alone: what lies between is skipped, so 150 GB are listed in the time of their headers. Folders
 * are passed over. An archive may be a part of another one: `within`.
 *
 * Where the archive is damaged or cut off, the last entry says so. Nothing is thrown for that: what
 * comes before is as good as ever.
 */
export async function* readTar(
  files: SourceFiles,
  file: string,
  within: Range,
): AsyncGenerator<TarEntry> {
  let at = within.start;
  let pending: Pax | undefined, common: Pax | undefined;
  for (;;) {
    if (at > within.start && at >= within.end) return;
    const block = await files.read(file, { start: at, end: Math.min(at + BLOCK, within.end) });
    const damaged = (reason: string) => ({
      name: `byte ${at - within.start}`,
      range: { start: at, end: at },
      problem: `the archive ${reason} here`,
    });
    if (block.length < BLOCK) return yield damaged("is cut off");
    const header = new Header(Buffer.from(block), 0, pending, common);
    if (header.nullBlock) return;
    if (!header.cksumValid || header.size === undefined) return yield damaged("is damaged");
    const range = { start: at + BLOCK, end: at + BLOCK + header.size };
    const next = at + BLOCK + Math.ceil(header.size / BLOCK) * BLOCK;
    const extension = EXTENSIONS[header.type];
    if (extension) {
      if (header.size > MOST_EXTENSION_BYTES) return yield damaged("is damaged");
      const text = Buffer.from(await files.read(file, range)).toString("utf8");
      if (header.type === "GlobalExtendedHeader") common = Pax.parse(text, common, true);
      else pending = extension(text, pending);
    } else {
      pending = undefined;
      const problem = problemOf(header, range.end > within.end);
      if (FILES.includes(header.type) || problem !== null) {
        yield { name: header.path ?? "", range, problem };
      }
    }
    at = next;
  }
}

/** What an entry says of the next one: pax's fields, or GNU's long name. */
const EXTENSIONS: Readonly<Record<string, (text: string, before?: Pax) => Pax>> = {
  ExtendedHeader: (text, before) => Pax.parse(text, before),
  OldExtendedHeader: (text, before) => Pax.parse(text, before),
  GlobalExtendedHeader: (text, before) => Pax.parse(text, before),
  NextFileHasLongPath: withPath,
  OldGnuLongPath: withPath,
  NextFileHasLongLinkpath: (_, before) => before ?? new Pax({}),
};

function withPath(text: string, before?: Pax): Pax {
  return new Pax({ ...before, path: text.replace(/\0.*$/s, "") });
}

function problemOf({ type, path = "", linkpath }: Header, isCut: boolean): string | null {
  if (LINKS.includes(type)) return `it is a link (to ${linkpath})`;
  if (type === "Directory") return null;
  if (!FILES.includes(type)) return `it is no file (${type})`;
  if (escapes(path)) return "its name leads out of the archive";
  return isCut ? "the archive is cut off in it" : null;
}
