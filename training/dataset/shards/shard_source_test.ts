import { assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { openRecordSource } from "../open_record_source.ts";
import { readRecord } from "../record_source.ts";
import { encodeShardHeader, recordsOffsetFor } from "./shard_format.ts";
import { openShards } from "./shard_source.ts";

const SIZE = { side: 1, channels: 3 as const };

/** Shards of so many records each; record i of all is [i, i + 1, i + 2] and its label 10 + i. */
async function withShards(
  counts: number[],
  run: (folder: string, shards: { file: string; count: number }[]) => void | Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    let first = 0;
    const shards = counts.map((count, shard) => {
      const file = `train-${shard}.shard`;
      const labels = Uint32Array.from({ length: count }, (_, i) => 10 + first + i);
      const recordsOffset = recordsOffsetFor(count);
      const head = encodeShardHeader({ ...SIZE, labels, recordsOffset });
      const records = Array.from({ length: count }, (_, i) => [0, 1, 2].map((c) => first + i + c));
      Deno.writeFileSync(join(folder, file), new Uint8Array([...head, ...records.flat()]));
      first += count;
      return { file, count };
    });
    await run(folder, shards);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("openShards() reads every record in any order, as does a source of its description", async () => {
  await withShards([3, 1, 4], (folder, shards) => {
    const source = openShards(folder, shards, SIZE);
    const again = openRecordSource(structuredClone(source.description));
    assertEquals([source.count, source.recordBytes], [8, 3]);
    assertEquals([...source.labels], [10, 11, 12, 13, 14, 15, 16, 17]);
    for (const each of [source, again]) {
      for (const i of [7, 0, 3, 2, 4, 6, 1, 5]) {
        assertEquals([...readRecord(each, i)], [i, i + 1, i + 2]);
      }
      each.close?.();
    }
    const out = new Uint8Array(5).fill(9);
    const third = openShards(folder, shards, SIZE);
    third.readInto(3, out, 1);
    third.close();
    assertEquals([...out], [9, 3, 4, 5, 9]);
    assertThrows(() => source.readInto(8, out, 0), RangeError, "there are 8");
  });
});

Deno.test("ShardSource keeps fewer files open than a process may", async () => {
  await withShards(Array.from({ length: 300 }, () => 1), (folder, shards) => {
    const source = openShards(folder, shards, SIZE);
    // By another process: Deno itself reads /proc with all permissions only.
    const list = new Deno.Command("/bin/sh", { args: ["-c", `ls -l /proc/${Deno.pid}/fd`] });
    const openFiles = () =>
      new TextDecoder().decode(list.outputSync().stdout).split(folder).length - 1;
    for (let pass = 0; pass < 2; pass++) {
      for (let i = 0; i < 300; i++) assertEquals(readRecord(source, i)[0], i % 256);
    }
    assertEquals(openFiles(), 256);
    source.close();
    assertEquals(openFiles(), 0);
  });
});

Deno.test("openShards() refuses missing shards and shards of another size", async () => {
  await withShards([2, 2], (folder, shards) => {
    const [first] = shards;
    assertThrows(
      () => openShards(folder, [first!, { file: "train-9.shard", count: 2 }], SIZE),
      Error,
      "train-9.shard: it is missing",
    );
    assertThrows(
      () => openShards(folder, [{ ...first!, count: 3 }], SIZE),
      SyntaxError,
      "holds 2 records of 1 x 1 x 3 where the index says 3",
    );
    assertThrows(
      () => openShards(folder, shards, { side: 2, channels: 3 }),
      SyntaxError,
      "of 2 x 2 x 3",
    );
  });
});
