import type { SplitName } from "./sources/source.ts";

/** Images of equal content. */
export interface DuplicateGroup {
  readonly files: readonly { readonly file: string; readonly split: SplitName }[];
}

export interface Duplicates {
  /** All in one split. */
  readonly within: readonly DuplicateGroup[];
  /** In more than one: what is learnt from one is asked about the other. */
  readonly across: readonly DuplicateGroup[];
  /** Of more than one class: one of the labels is wrong. A group may be among the others too. */
  readonly contradicting: readonly DuplicateGroup[];
}

interface HashedImages {
  /** First 16 bytes of the sha256 of each image; enough to tell any set's images apart. */
  readonly keys: Uint32Array;
  /** Zero where an image was not read, and has no content to compare. */
  readonly isRead: Uint8Array;
  readonly describe: (i: number) => { file: string; split: SplitName; label: number };
}

const WORDS = 4;

/** Room for the keys of so many images. */
export function emptyKeys(count: number): Uint32Array {
  return new Uint32Array(WORDS * count);
}

export function setKey(keys: Uint32Array, i: number, sha256: string): void {
  for (let word = 0; word < WORDS; word++) {
    keys[WORDS * i + word] = parseInt(sha256.slice(8 * word, 8 * word + 8), 16);
  }
}

/** Groups images by content, in the order of the images. */
export function findDuplicates({ keys, isRead, describe }: HashedImages): Duplicates {
  const order = Uint32Array.from(isRead.keys()).filter((i) => isRead[i]);
  const compare = (a: number, b: number) => {
    for (let word = 0; word < WORDS; word++) {
      const difference = keys[WORDS * a + word]! - keys[WORDS * b + word]!;
      if (difference !== 0) return difference;
    }
    return 0;
  };
  order.sort((a, b) => compare(a, b) || a - b);
  const groups: number[][] = [];
  for (let start = 0, end = 0; start < order.length; start = end) {
    end = start + 1;
    while (end < order.length && compare(order[start]!, order[end]!) === 0) end++;
    if (end - start > 1) groups.push([...order.subarray(start, end)]);
  }
  groups.sort(([a], [b]) => a! - b!);
  const described = groups.map((group) => group.map(describe));
  const differ = (key: "split" | "label") => (group: ReturnType<typeof describe>[]) =>
    group.some((image) => image[key] !== group[0]![key]);
  const plain = (group: ReturnType<typeof describe>[]): DuplicateGroup => ({
    files: group.map(({ file, split }) => ({ file, split })),
  });
  return {
    within: described.filter((group) => !differ("split")(group)).map(plain),
    across: described.filter(differ("split")).map(plain),
    contradicting: described.filter(differ("label")).map(plain),
  };
}
