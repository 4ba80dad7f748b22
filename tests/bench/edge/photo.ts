/** A photograph as a phone makes it: 12 megapixels (make_photo.py drew them), 3 million bytes. */
const BYTES = 3e6;

/** The longest segment of a JPEG, its length included (ITU-T T.81, B.1.1.4). */
const SEGMENT = 65_535;

/** A file's path; gone with `await using`. */
export async function photo(): Promise<
  AsyncDisposable & { readonly folder: string; path: string }
> {
  const drawn = await Deno.readFile(new URL("photo.jpg", import.meta.url));
  const comment = new Uint8Array(SEGMENT + 2).fill(0x20);
  comment.set([0xff, 0xfe, SEGMENT >> 8, SEGMENT & 255]);
  const comments = Math.ceil((BYTES - drawn.length) / comment.length);
  const folder = await Deno.makeTempDir();
  const path = `${folder}/photo.jpg`;
  // Behind the marker that begins the file.
  await Deno.writeFile(path, drawn.subarray(0, 2));
  for (let i = 0; i < comments; i++) await Deno.writeFile(path, comment, { append: true });
  await Deno.writeFile(path, drawn.subarray(2), { append: true });
  return { folder, path, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}
