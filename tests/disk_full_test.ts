// A real full disk: a small file system of its own, which needs the right to mount one.
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { readCheckpoint, saveCheckpoint } from "../training/checkpoint/checkpoint.ts";
import { findCheckpoint } from "../training/checkpoint/checkpoint_folder.ts";
import { START } from "../training/training_state.ts";
import { makeConfig } from "../training/config.ts";
import { topfive, TopfiveProcess } from "./topfive_process.ts";

async function shell(command: string): Promise<boolean> {
  const child = new Deno.Command("/bin/sh", {
    args: ["-c", command],
    stdout: "null",
    stderr: "null",
  });
  return (await child.output()).success;
}

const point = await Deno.makeTempDir();
const canMount = await shell(`mount -t tmpfs -o size=64k tmpfs '${point}' && umount '${point}'`);

async function onDisk(size: string, body: (folder: string) => Promise<void>): Promise<void> {
  await shell(`mount -t tmpfs -o size=${size} tmpfs '${point}'`);
  try {
    await body(point);
  } finally {
    await shell(`umount '${point}'`);
  }
}

const ORIGIN = {
  codeVersion: "0.1.0",
  config: makeConfig("lenet5", {}),
  adapter: "none",
  tiles: {},
  dataFingerprint: "ab",
};

Deno.test({
  name: "saveCheckpoint() on a full disk keeps the old file and says how much is needed",
  ignore: !canMount,
  fn: () =>
    onDisk("1m", async (folder) => {
      const path = join(folder, "checkpoint");
      const checkpoint = (step: number) => ({
        origin: ORIGIN,
        state: { ...START, step },
        parameters: new Map([["w", new Float32Array(150_000).fill(step)]]),
        momenta: new Map(),
      });
      saveCheckpoint(path, checkpoint(1));
      const error = await assertRejects(
        () => Promise.resolve().then(() => saveCheckpoint(path, checkpoint(2))),
        Error,
        `Cannot write ${path}: No space left on device`,
      );
      const [, needed, free] = /it takes (\d+) bytes, (\d+) are free/.exec(error.message)!;
      assertEquals(Number(needed), Deno.statSync(path).size);
      // What was written of the second counts as free: it is gone again.
      assertEquals(Number(free) >= 0 && Number(free) < Number(needed), true);
      assertEquals((await readCheckpoint(path)).state.step, 1);
      assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["checkpoint"]);
    }),
});

Deno.test({
  name: "topfive train on a disk that fills keeps its last checkpoint and says how to go on",
  ignore: !canMount,
  fn: () =>
    // Checkpoints of LeNet-5 take half a megabyte: the fourth (the best, two more, the next) does not fit.
    onDisk("1200k", async (folder) => {
      const images = await Deno.makeTempDir();
      try {
        await topfive(images, "data", "make", "images", "--train", "40", "--validation", "10");
        const args = [
          "train",
          "--model",
          "lenet5",
          "--data",
          "images",
          "--out",
          join(folder, "run"),
        ];
        const settings = ["--epochs", "50", "--batch-size", "10", "--checkpoint-every", "2"];
        const { code, stderr } = await new TopfiveProcess(images, [...args, ...settings])
          .finished();
        assertEquals(code, 1, stderr);
        assertStringIncludes(stderr, "No space left on device");
        assertStringIncludes(stderr, `go on with ./topfive train --resume ${join(folder, "run")}`);
        const { state } = await readCheckpoint(
          (await findCheckpoint(join(folder, "run"), "latest"))!,
        );
        assertEquals(state.step, 4);
      } finally {
        await Deno.remove(images, { recursive: true });
      }
    }),
});

globalThis.addEventListener("unload", () => Deno.removeSync(point));
