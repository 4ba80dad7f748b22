/** The files of a folder and those below it, by name, up to a size: what is damaged to make inputs. */
export function readSeeds(folder: URL, maxBytes: number): Uint8Array[] {
  const seeds: Uint8Array[] = [];
  for (const { name, isDirectory } of [...Deno.readDirSync(folder)].sort(byName)) {
    const url = new URL(isDirectory ? `${name}/` : name, folder);
    if (isDirectory) {
      seeds.push(...readSeeds(url, maxBytes));
    } else if (!name.endsWith(".json") && Deno.statSync(url).size <= maxBytes) {
      seeds.push(Deno.readFileSync(url));
    }
  }
  return seeds;
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1;
}
