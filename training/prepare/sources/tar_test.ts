import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { withFiles } from "../../fixtures/with_files.ts";
import { openSourceFiles } from "./source_files.ts";
import { readTar } from "./tar.ts";

/** Runs tar or another program of the system. */
async function shell(cwd: string, script: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("/bin/sh", { args: ["-ec", script], cwd })
    .output();
  assert(success, new TextDecoder().decode(stderr));
}

/** Each member as "name: text" or "name! problem". */
async function list(folder: string, name: string): Promise<string[]> {
  const files = openSourceFiles(folder);
  const lines: string[] = [];
  const end = (await files.size(name))!;
  for await (const entry of readTar(files, name, { start: 0, end })) {
    const text = async () => new TextDecoder().decode(await files.read(name, entry.range));
    lines.push(
      entry.problem ? `${entry.name}! ${entry.problem}` : `${entry.name}: ${await text()}`,
    );
  }
  files.close();
  return lines;
}

const long = `in/${"folder-of-a-long-name/".repeat(12)}file-ä.txt`;
const members = {
  "in/a.txt": "first",
  "in/empty": "",
  [long]: "x".repeat(700),
  "in/z.txt": "last",
};
const expected = Object.entries(members).map(([name, text]) => `${name}: ${text}`).sort();

for (const format of ["gnu", "pax", "ustar"]) {
  Deno.test(`readTar() finds what tar --format=${format} wrote`, async () => {
    const { [long]: _, ...short } = members;
    await withFiles(format === "ustar" ? short : members, async (folder) => {
      await shell(folder, `tar --format=${format} -cf a.tar in`);
      const names = expected.filter((line) => format !== "ustar" || !line.startsWith(long));
      assertEquals((await list(folder, "a.tar")).sort(), names);
    });
  });
}

Deno.test("readTar() refuses links, devices' like and names that lead out, and reads the rest", async () => {
  await withFiles({ "in/a.txt": "first", "in/b.txt": "second" }, async (folder) => {
    await shell(
      folder,
      `ln -s a.txt in/soft; mkfifo in/pipe
       tar -cf a.tar in/a.txt in/soft in/pipe
       tar -rPf a.tar --transform 's,in/b.txt,../../b.txt,' in/b.txt
       tar -rPf a.tar --transform 's,in/b.txt,/etc/b.txt,' in/b.txt
       tar -rf a.tar in/b.txt`,
    );
    assertEquals(await list(folder, "a.tar"), [
      "in/a.txt: first",
      "in/soft! it is a link (to a.txt)",
      "in/pipe! it is no file (FIFO)",
      "../../b.txt! its name leads out of the archive",
      "/etc/b.txt! its name leads out of the archive",
      "in/b.txt: second",
    ]);
  });
});

Deno.test("readTar() says where an archive is cut off or damaged, and gives what comes before", async () => {
  const files = { "a.txt": "first", "b.txt": "s".repeat(900), "c.txt": "last" };
  await withFiles(files, async (folder) => {
    await shell(folder, "tar --format=ustar -cf whole.tar a.txt b.txt c.txt");
    const bytes = await Deno.readFile(join(folder, "whole.tar"));
    const cut = async (length: number) => {
      await Deno.writeFile(join(folder, "cut.tar"), bytes.subarray(0, length));
      return await list(folder, "cut.tar");
    };
    const b = `b.txt: ${"s".repeat(900)}`;
    assertEquals(await cut(1700), ["a.txt: first", "b.txt! the archive is cut off in it"]);
    assertEquals(await cut(2700), ["a.txt: first", b, "byte 2560! the archive is cut off here"]);
    assertEquals(await cut(0), ["byte 0! the archive is cut off here"]);
    bytes[2565]! ^= 1;
    assertEquals((await cut(bytes.length)).at(-1), "byte 2560! the archive is damaged here");
  });
});
