import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { Progress } from "../dataset/progress.ts";
import { fetchSet } from "./fetch_set.ts";
import { download } from "./download.ts";
import type { PublishedFile } from "./published_sets.ts";

const CONTENT = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) >> 3);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const FILE: PublishedFile = {
  name: "set.bin",
  addresses: [],
  bytes: CONTENT.length,
  sha256: sha256(CONTENT),
};

interface ServerOptions {
  content?: Uint8Array<ArrayBuffer>;
  /** Bytes after which each of the first answers breaks off. */
  breaks?: number[];
  ignoresRange?: boolean;
}

/** A server of one file, for as long as the body takes; the body gets the ranges that were asked. */
async function serving(
  { content = CONTENT, breaks = [], ignoresRange = false }: ServerOptions,
  body: (address: string, path: string, asked: (string | null)[]) => Promise<void>,
): Promise<void> {
  const asked: (string | null)[] = [];
  const folder = await Deno.makeTempDir();
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    if (!new URL(request.url).pathname.endsWith("/set.bin")) {
      return new Response(null, { status: 404 });
    }
    const range = request.headers.get("range");
    asked.push(range);
    const start = ignoresRange ? 0 : Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
    if (start >= content.length) return new Response(null, { status: 416 });
    const rest = content.subarray(start), most = breaks.shift();
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
      async start(controller) {
        controller.enqueue(rest.subarray(0, most));
        if (most === undefined) return controller.close();
        // What was sent has to arrive before the connection breaks.
        await new Promise((resolve) => setTimeout(resolve, 50));
        controller.error(new Error("broken off"));
      },
    });
    const isPart = range !== null && !ignoresRange;
    return new Response(stream, {
      status: isPart ? 206 : 200,
      headers: isPart
        ? { "content-range": `bytes ${start}-${content.length - 1}/${content.length}` }
        : {},
    });
  });
  try {
    await body(`http://127.0.0.1:${server.addr.port}/set.bin`, join(folder, "set.bin"), asked);
  } finally {
    await server.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
}

async function names(path: string): Promise<string[]> {
  const found = [];
  for await (const { name } of Deno.readDir(join(path, ".."))) found.push(name);
  return found;
}

Deno.test("download() brings a file, and goes on where a connection broke", async () => {
  await serving({ breaks: [1000, 70_000] }, async (address, path, asked) => {
    const seen: Progress[] = [];
    await download(FILE, [address], path, { onProgress: (progress) => seen.push(progress) });
    assertEquals(await Deno.readFile(path), CONTENT);
    assertEquals(asked, [null, "bytes=1000-", "bytes=71000-"]);
    assertEquals([seen.at(-1)!.done, seen.at(-1)!.total], [300_000, 300_000]);
    assertEquals(await names(path), ["set.bin"]);
  });
});

Deno.test("download() goes on with what an earlier call left", async () => {
  await serving({}, async (address, path, asked) => {
    await Deno.writeFile(`${path}.part`, CONTENT.subarray(0, 123_456));
    await download(FILE, [address], path);
    assertEquals(asked, ["bytes=123456-"]);
    assertEquals(await Deno.readFile(path), CONTENT);
  });
});

Deno.test("download() begins anew where a server knows no ranges", async () => {
  await serving({ ignoresRange: true }, async (address, path) => {
    await Deno.writeFile(`${path}.part`, CONTENT.subarray(0, 100));
    await download(FILE, [address], path);
    assertEquals(await Deno.readFile(path), CONTENT);
  });
});

Deno.test("download() keeps what came where a connection breaks again and again", async () => {
  await serving({ breaks: [9, ...Array(9).fill(0)] }, async (address, path) => {
    const failed = () => download(FILE, [address], path);
    await assertRejects(failed, Error, "run the command again to go on");
    assertEquals(await names(path), ["set.bin.part"]);
    assertEquals((await Deno.stat(`${path}.part`)).size, 9);
  });
});

Deno.test("download() refuses and removes what is not the published file", async () => {
  const altered = CONTENT.with(7, CONTENT[7]! ^ 1) as Uint8Array<ArrayBuffer>;
  const cases = [
    [altered, `its sha256 is ${sha256(altered)} (expected ${FILE.sha256})`],
    [CONTENT.subarray(1), "it has 299999 bytes (expected 300000)"],
    [new Uint8Array(700_000), "more than 600000 bytes came"],
  ] as const;
  for (const [content, message] of cases) {
    await serving({ content }, async (address, path) => {
      await assertRejects(() => download(FILE, [address], path), Error, message);
      assert(!(await names(path)).includes("set.bin"));
    });
  }
});

Deno.test("download() asks the next address where one does not have the file", async () => {
  await serving({}, async (address, path) => {
    await download(FILE, [address.replace("set.bin", "other"), address], path);
    assertEquals(await Deno.readFile(path), CONTENT);
    const absent = () => download(FILE, [`${address}.gone`], path);
    await assertRejects(absent, Error, "Cannot fetch set.bin: http://127.0.0.1:");
  });
});

const SET = {
  name: "squares",
  summary: "",
  files: [FILE, { ...FILE, name: "again.bin" }],
  next: (path: string) => path,
};

Deno.test("fetchSet() takes a mirror folder's files, its set folders first, and keeps what is there", async () => {
  const [mirror, cache] = [await Deno.makeTempDir(), await Deno.makeTempDir()];
  await Deno.mkdir(join(mirror, "squares"));
  await Deno.writeFile(join(mirror, "squares", "set.bin"), CONTENT);
  await Deno.writeFile(join(mirror, "again.bin"), CONTENT);
  const folder = await fetchSet(SET, { cache, mirror });
  assertEquals(folder, join(cache, "squares"));
  assertEquals(await Deno.readFile(join(folder, "again.bin")), CONTENT);

  await Deno.remove(mirror, { recursive: true });
  assertEquals(await fetchSet(SET, { cache, mirror }), folder);
  await Deno.writeFile(join(folder, "set.bin"), CONTENT.subarray(9));
  await assertRejects(() => fetchSet(SET, { cache, mirror }), Error, "set.bin: it is not in");
  await Deno.remove(cache, { recursive: true });
});

Deno.test("fetchSet() takes a mirror's address", async () => {
  await serving({}, async (address, path) => {
    const cache = join(path, "..");
    const set = { ...SET, files: [FILE] };
    const mirror = address.replace(/set\.bin$/, "deep/");
    assertEquals(await fetchSet(set, { cache, mirror }), join(cache, "squares", "set.bin"));
  });
});

Deno.test("fetchSet() accepts a .gz that a mirror packed anew, and no other content in one", async () => {
  const [mirror, cache] = [await Deno.makeTempDir(), await Deno.makeTempDir()];
  const packed = (bytes: Uint8Array) => gzipSync(bytes, { level: 9 });
  const file = { ...FILE, name: "a.gz", sha256: "0".repeat(64), unpackedSha256: FILE.sha256 };
  const set = { ...SET, files: [file] };
  await Deno.writeFile(join(mirror, "a.gz"), packed(CONTENT.subarray(1)));
  await assertRejects(() => fetchSet(set, { cache, mirror }), Error, "is not what was published");
  await Deno.writeFile(join(mirror, "a.gz"), packed(CONTENT));
  await fetchSet(set, { cache, mirror });
  for (const folder of [mirror, cache]) await Deno.remove(folder, { recursive: true });
});
