import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { writeAtomically } from "./write_atomically.ts";

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const text = (value: string) => new TextEncoder().encode(value);
const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

Deno.test("writeAtomically() writes the pieces one after another, and replaces", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "file");
    await writeAtomically(path, [text("a longer "), new Uint8Array(), text("text")]);
    assertEquals(await Deno.readTextFile(path), "a longer text");
    const large = new Uint8Array(3_000_000).map((_, i) => i % 251);
    await writeAtomically(path, [large.subarray(0, 1_000_001), large.subarray(1_000_001)]);
    assertEquals(await Deno.readFile(path), large);
    await writeAtomically(path, []);
    assertEquals(await Deno.readTextFile(path), "");
    assertEquals(names(folder), ["file"]);
  });
});

Deno.test("writeAtomically() leaves the old file and nothing else when the pieces fail", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "file");
    await writeAtomically(path, [text("old")]);
    const pieces = function* () {
      yield text("half of the new");
      throw new Error("the GPU was lost");
    };
    await assertRejects(
      () => writeAtomically(path, pieces()),
      Error,
      `Cannot write ${path}: the GPU was lost`,
    );
    assertEquals(await Deno.readTextFile(path), "old");
    assertEquals(names(folder), ["file"]);
  });
});

Deno.test("writeAtomically() names the folder that is not there", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "no", "file");
    const error = await assertRejects(() => writeAtomically(path, [text("new")]), Error);
    assertEquals(error.message, `Cannot write ${path}: there is no folder ${join(folder, "no")}`);
  });
});

Deno.test("writeAtomically() leaves no temporary file where the name is a folder", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "taken");
    await Deno.mkdir(join(path, "inside"), { recursive: true });
    await assertRejects(() => writeAtomically(path, [text("new")]), Error, `Cannot write ${path}`);
    assertEquals(names(folder), ["taken"]);
  });
});

Deno.test("writeAtomically() does not follow a link at the name to another file", async () => {
  await inFolder(async (folder) => {
    const [target, link] = [join(folder, "target"), join(folder, "link")];
    await Deno.writeTextFile(target, "target's own");
    await Deno.symlink(target, link);
    await writeAtomically(link, [text("new")]);
    assertEquals(await Deno.readTextFile(target), "target's own");
    assertEquals(await Deno.readTextFile(link), "new");
  });
});
