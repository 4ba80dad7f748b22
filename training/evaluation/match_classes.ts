/**
 * Which class of one list is which of another: a foreign model's labels are sentences, and folders
 * are named by WordNet's ids or by numbers.
 * @module
 */

const SHOWN = 5;

/** How a name and a label are compared; the first way in which every name has one label counts. */
const WAYS: readonly ((label: string, index: number) => string | null)[] = [
  (label) => label,
  // "n01440764 tench, Tinca tinca", and "n01440764_tench" as a folder's name
  (label) => /^n\d{8}(?!\d)/.exec(label)?.[0] ?? null,
];

/**
 * The class of `labels` that each name means: by equal names, by the WordNet ids that both begin with
 * or, where all names are numbers, by index.
 *
 * @throws {Error} naming those that have no label, or several
 */
export function matchClasses(
  names: readonly string[],
  labels: readonly string[],
  what: { readonly names: string; readonly labels: string },
): Uint32Array {
  for (const key of WAYS) {
    const places = Map.groupBy(labels.keys(), (index) => key(labels[index]!, index));
    const found = names.map((name, index) => places.get(key(name, index) ?? name));
    if (found.every((of) => of?.length === 1)) return Uint32Array.from(found, (of) => of![0]!);
  }
  const numbers = names.map((name) => /^\d+$/.test(name) ? Number(name) : NaN);
  if (numbers.every((number) => number < labels.length)) return Uint32Array.from(numbers);
  throw new Error(
    `Cannot evaluate: the data's classes are ${some(names)}, those of ${what.labels} are ` +
      `${some(labels)} (name the folders of ${what.names} as its labels, by the WordNet ids that ` +
      "these begin with, or by index from 0; a label that repeats needs an id or index)",
  );
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).join(", ");
  return names.length > SHOWN ? `${shown} and ${names.length - SHOWN} more` : shown;
}

/** Probabilities [images, wanted] from those of a model that has the same classes in another order. */
export function reorderClasses(
  probabilities: Float32Array<ArrayBuffer>,
  order: Uint32Array,
): Float32Array<ArrayBuffer> {
  if (order.every((from, to) => from === to)) return probabilities;
  const classes = order.length;
  return probabilities.map((_, i) => probabilities[i - i % classes + order[i % classes]!]!);
}
