import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { Header } from "tar";
import { unpackArchive } from "./unpack_archive.ts";

interface Member {
  path: string;
  type?: "File" | "SymbolicLink" | "Link" | "CharacterDevice";
  linkpath?: string;
  content?: string;
}

function tar(members: Member[]): Uint8Array {
  const blocks = members.flatMap(({ path, type = "File", linkpath, content = "" }) => {
    const header = new Header({
      path,
      type,
      size: content.length,
      mode: 0o644,
      mtime: new Date(0),
    });
    if (linkpath !== undefined) header.linkpath = linkpath;
    const head = Buffer.alloc(512);
    header.encode(head, 0);
    return [head, Buffer.from(content.padEnd(Math.ceil(content.length / 512) * 512, "\0"))];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

async function withArchive(bytes: Uint8Array, body: (path: string) => Promise<unknown>) {
  const folder = await Deno.makeTempDir();
  await Deno.mkdir(join(folder, "cache"));
  const archive = join(folder, "cache", "set.tgz");
  await Deno.writeFile(archive, bytes);
  await body(archive);
  const left = [...Deno.readDirSync(folder)].map(({ name }) => name);
  const inCache = [...Deno.readDirSync(join(folder, "cache"))].map(({ name }) => name).sort();
  await Deno.remove(folder, { recursive: true });
  assertEquals(left, ["cache"], "something was written outside");
  return inCache;
}

const good = [
  { path: "set/train/a/1.png", content: "one" },
  { path: "set/LICENSE.txt", content: "x".repeat(700) },
];

Deno.test("unpackArchive() unpacks the archive's folder beside it, once", async () => {
  const left = await withArchive(tar(good), async (archive) => {
    const folder = await unpackArchive(archive, "set");
    assertEquals(await Deno.readTextFile(join(folder, "train/a/1.png")), "one");
    await Deno.writeTextFile(archive, "no archive any more");
    assertEquals(await unpackArchive(archive, "set"), folder);
  });
  assertEquals(left, ["set", "set.tgz"]);
});

Deno.test("unpackArchive() refuses members that lead out, links, devices and damage, and leaves nothing", async () => {
  const cases: [Uint8Array, string][] = [
    [tar([...good, { path: "set/../../evil", content: "evil" }]), "Cannot unpack"],
    [tar([...good, { path: "/tmp/topfive-evil", content: "evil" }]), "Cannot unpack"],
    [tar([...good, { path: "set/link", type: "SymbolicLink", linkpath: "../.." }]), "set/link is"],
    [tar([...good, { path: "set/hard", type: "Link", linkpath: "/etc/passwd" }]), "set/hard is"],
    [tar([...good, { path: "set/null", type: "CharacterDevice" }]), "set/null is neither"],
    [tar([{ path: "other/1.png", content: "one" }]), "it holds no folder set"],
    [tar(good).subarray(0, 60), "Cannot unpack"],
    [new TextEncoder().encode("<html>not found</html>"), "Cannot unpack"],
  ];
  for (const [bytes, message] of cases) {
    const left = await withArchive(
      bytes,
      (archive) => assertRejects(() => unpackArchive(archive, "set"), Error, message),
    );
    assertEquals(left, ["set.tgz"], message);
  }
});
