import { assertEquals, assertRejects } from "@std/assert";
import { dirname, join } from "@std/path";
import { readFolderLayout } from "./folder_layout.ts";

/** Runs on a temporary folder of these files; a path that ends in "/" is an empty folder. */
async function withPaths(paths: string[], run: (directory: string) => Promise<unknown>) {
  const directory = await Deno.makeTempDir();
  try {
    for (const path of paths) {
      await Deno.mkdir(dirname(join(directory, `${path}x`)), { recursive: true });
      if (!path.endsWith("/")) await Deno.writeTextFile(join(directory, path), "");
    }
    await run(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("readFolderLayout() finds images by split, class and name, in one order", async () => {
  const paths = ["val/b/2.JPG", "train/b/10.png", "train/b/1.png", "train/a/z.jpeg", "val/a/1.gif"];
  await withPaths(paths, async (directory) => {
    const { classes, files, splits } = await readFolderLayout(directory);
    assertEquals(classes, ["a", "b"]);
    assertEquals(files, [
      { path: "train/a/z.jpeg", label: 0, split: "train" },
      { path: "train/b/1.png", label: 1, split: "train" },
      { path: "train/b/10.png", label: 1, split: "train" },
      { path: "val/a/1.gif", label: 0, split: "validation" },
      { path: "val/b/2.JPG", label: 1, split: "validation" },
    ]);
    assertEquals([...splits], ["train", "validation"]);
  });
});

Deno.test("readFolderLayout() labels by the classes of train/ where others have fewer", async () => {
  await withPaths(["train/a/1.png", "train/b/1.png", "test/b/1.png"], async (directory) => {
    const { files } = await readFolderLayout(directory);
    assertEquals(files.at(-1), { path: "test/b/1.png", label: 1, split: "test" });
  });
});

Deno.test("readFolderLayout() takes a folder without train/ as classes", async () => {
  const paths = [
    "cat/1.png",
    "dog/1.png",
    "dog/notes.txt",
    ".git/x.png",
    "__MACOSX/1.png",
    "README.md",
  ];
  await withPaths(paths, async (directory) => {
    const layout = await readFolderLayout(directory);
    assertEquals(layout.classes, ["cat", "dog"]);
    assertEquals(layout.files.map(({ path, split }) => [path, split]), [
      ["cat/1.png", null],
      ["dog/1.png", null],
    ]);
    assertEquals(layout.ignored, ["README.md", "dog/notes.txt"]);
  });
});

Deno.test("readFolderLayout() follows links to class folders", async () => {
  await withPaths(["cat/1.png", "dog/1.png"], async (directory) => {
    await Deno.symlink(join(directory, "dog"), join(directory, "wolf"));
    assertEquals((await readFolderLayout(directory)).classes, ["cat", "dog", "wolf"]);
  });
});

Deno.test("readFolderLayout() says what is wrong with a folder and what it should be", async () => {
  const cases: [paths: string[], message: string][] = [
    [[], "no images in"],
    [["1.png", "2.png"], "2 images but no class folders in"],
    [["cat/1.png"], "one class (cat) under"],
    [["train/cat/1.png", "val/cat/1.png"], "one class (cat) under train/"],
    [["train/1.png", "train/2.png"], "no class folders under train/"],
    [["cat/1.png", "dog/"], "no images in dog/"],
    [["train/cat/1.png", "train/dog/notes.txt"], "no images in train/dog/"],
    [["cat/1.png", "dog/1.png", "3.png"], "images beside folders in"],
    [["train/cat/1.png", "train/dog/1.png", "train/x.png"], "images beside folders in train/"],
    [["train/cat/1.png", "train/dog/1.png", "fox/1.png"], "fox/ beside train/"],
    [["val/cat/1.png", "val/dog/1.png"], "val/ without train/"],
    [["train/cat/1.png", "train/dog/1.png", "val/emu/1.png"], "emu/ in val/ but not in train/"],
    [["train/c/1.png", "train/d/1.png", "val/c/1.png", "valid/c/1.png"], "val/ and valid/ both"],
    [["cat/1.png", "dog/old/1.png", "dog/1.png"], "old/ within the class folder dog/"],
    [["train/cat/1.png", "train/dog/1.png", "val/"], "no class folders under val/"],
  ];
  for (const [paths, message] of cases) {
    await withPaths(paths, (directory) =>
      assertRejects(
        () => readFolderLayout(directory),
        Error,
        `Cannot read image folder: ${message}`,
        paths.join(" "),
      ));
  }
});

Deno.test("readFolderLayout() says when the folder is absent or a file", async () => {
  await withPaths(["file.png"], async (directory) => {
    const missing = join(directory, "nowhere");
    await assertRejects(() => readFolderLayout(missing), Error, "nowhere is not there");
    const file = join(directory, "file.png");
    await assertRejects(() => readFolderLayout(file), Error, "file.png is not a folder");
  });
});

Deno.test("readFolderLayout() needs no train/ where nothing is trained", async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (const place of ["test/b", "val/a", "val/b"]) {
      await Deno.mkdir(`${folder}/${place}`, { recursive: true });
      await Deno.writeTextFile(`${folder}/${place}/1.png`, "");
    }
    await assertRejects(() => readFolderLayout(folder), Error, "without train/");
    const layout = await readFolderLayout(folder, undefined, { needsTrain: false });
    assertEquals(layout.classes, ["a", "b"]);
    assertEquals(layout.files.map(({ path, label }) => [path, label]), [
      ["val/a/1.png", 0],
      ["val/b/1.png", 1],
      ["test/b/1.png", 1],
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
