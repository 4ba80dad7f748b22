import { levenshteinDistance } from "@std/text/levenshtein-distance";

/** A name further than this from every known one is another word, not a slip of the keys. */
const MOST_EDITS = 3;

/** The name that was probably meant, if any comes near. */
export function nearestName(word: string, names: readonly string[]): string | undefined {
  const distances = names.map((name) => ({ name, edits: levenshteinDistance(word, name) }));
  const [nearest] = distances.sort((a, b) => a.edits - b.edits);
  const most = Math.min(MOST_EDITS, Math.floor(word.replace(/^-+/, "").length / 2));
  return nearest && nearest.edits <= most ? nearest.name : undefined;
}
