import type { BrokenImage } from "../../dataset/dataset.ts";

export type SplitName = "train" | "validation" | "test";

/** An image before it is read: what it is called, what it shows and where its bytes lie. */
export interface SourceImage {
  /** For messages and reports: a path, or the place in an archive. */
  readonly name: string;
  readonly label: number;
  /** Null where the source does not say and the content decides. */
  readonly split: SplitName | null;
  /** Of the source's files. */
  readonly file: string;
  /** The part of the file that is the image; all of it where there is none. */
  readonly range?: { readonly start: number; readonly end: number };
}

/** How pixels that are stored without an image format lie, 8 bits a sample. */
export interface RawLayout {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  /** "planar" is all red, all green, all blue. */
  readonly order: "planar" | "interleaved";
}

/** Labelled images that were found and not yet read. */
export interface Source {
  readonly kind: "image folder" | "ILSVRC-2012" | "CIFAR" | "IDX" | "list";
  /** What `openSourceFiles` opens to read the images, in any thread. */
  readonly address: string;
  /** Names by label. */
  readonly classes: readonly string[];
  /** In an order that is the same on every machine. */
  readonly images: readonly SourceImage[];
  /** Null where each image is a file of an image format. */
  readonly raw: RawLayout | null;
  /** Images that will not be read, and why. */
  readonly refused: readonly BrokenImage[];
  readonly warnings: readonly string[];
}

/** What an opener may need beside the address. */
export interface OpenSourceOptions {
  /** An existing folder of this run for what has to be unpacked first. */
  readonly workFolder: string;
}

/** Names taken into a message, the first few. */
export function some(names: readonly string[], most = 5): string {
  const shown = names.slice(0, most).join(", ");
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
