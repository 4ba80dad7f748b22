import { z } from "zod";

const Name = z.union([z.string(), z.array(z.string()).min(1)]);
const Names = z.union([z.array(Name), z.record(z.string().regex(/^\d+$/), Name)]);

/**
 * One label for each class from a file of labels: lines of text, a JSON array, or a JSON object from
 * index to label. A label that is itself a list, such as `["n01440764", "tench"]`, is joined.
 *
 * @throws {SyntaxError} when the file is neither, is empty, or leaves an index out.
 */
export function parseLabels(text: string): string[] {
  const labels = /^\s*[[{]/.test(text) ? parseJson(text) : text.split(/\r?\n/);
  while (labels.at(-1)?.trim() === "") labels.pop();
  const empty = labels.findIndex((label) => label.trim() === "");
  if (labels.length === 0) throw new SyntaxError("Cannot read labels: the file has none");
  if (empty >= 0) throw new SyntaxError(`Cannot read labels: class ${empty} has none`);
  return labels.map((label) => label.trim());
}

function parseJson(text: string): string[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new SyntaxError(`Cannot read labels: ${(cause as Error).message}`, { cause });
  }
  const result = Names.safeParse(value);
  if (!result.success) {
    throw new SyntaxError(
      "Cannot read labels: expected lines of text, a JSON array, or a JSON object from index to label",
    );
  }
  if (Array.isArray(result.data)) return result.data.map(joined);
  const byIndex = result.data;
  return Array.from({ length: Object.keys(byIndex).length }, (_, index) => {
    const name = byIndex[String(index)];
    if (name === undefined) throw new SyntaxError(`Cannot read labels: class ${index} has none`);
    return joined(name);
  });
}

function joined(name: string | string[]): string {
  return typeof name === "string" ? name : name.join(" ");
}
