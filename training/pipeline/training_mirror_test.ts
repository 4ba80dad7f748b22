import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { DirectoryStore } from "../../shared/object_store/directory.ts";
import { TrainingMirror } from "./training_mirror.ts";

/** A folder as training leaves it, with checkpoints of these steps. */
async function writeFolder(folder: string, steps: readonly number[]): Promise<void> {
  await Deno.mkdir(join(folder, "checkpoints"), { recursive: true });
  for (const { name } of Deno.readDirSync(join(folder, "checkpoints"))) {
    await Deno.remove(join(folder, "checkpoints", name));
  }
  for (const step of steps) {
    await Deno.writeTextFile(join(folder, "checkpoints", `step-${step}`), `${step}`);
  }
  await Deno.writeTextFile(join(folder, "checkpoints.json"), JSON.stringify({ steps, best: null }));
  await Deno.writeTextFile(join(folder, "run.json"), `run at ${steps.at(-1)}`);
  await Deno.writeTextFile(join(folder, "lock"), "1");
}

function contentOf(folder: string): Record<string, string> {
  const files: Record<string, string> = {};
  for (const { name, isFile } of Deno.readDirSync(folder)) {
    if (isFile) files[name] = Deno.readTextFileSync(join(folder, name));
  }
  for (const { name } of Deno.readDirSync(join(folder, "checkpoints"))) {
    files[name] = Deno.readTextFileSync(join(folder, "checkpoints", name));
  }
  return files;
}

Deno.test("TrainingMirror brings a training to another machine, and keeps what is further", async () => {
  const root = await Deno.makeTempDir();
  try {
    const store = new DirectoryStore(join(root, "store"));
    const [here, there] = [join(root, "here"), join(root, "there")];
    const mirror = (folder: string) =>
      new TrainingMirror(store, "models/a/runs/1/training/", folder);
    await mirror(there).pull();
    assertEquals(await Deno.stat(there).catch(() => null), null);

    await writeFolder(here, [10, 20]);
    await mirror(here).push();
    await mirror(there).pull();
    const { lock: _, ...left } = contentOf(here);
    assertEquals(contentOf(there), left);

    await writeFolder(there, [20, 30]);
    await mirror(there).push();
    const keys = await Array.fromAsync(
      store.list("models/a/"),
      ({ key }) => key.split("training/")[1],
    );
    assertEquals(keys.sort(), [
      ...["checkpoints.json", "checkpoints/step-20", "checkpoints/step-30", "run.json"],
    ]);
    // What was trained here in part, before it went on elsewhere, is no longer what counts.
    await mirror(here).pull();
    assertEquals(contentOf(here)["run.json"], "run at 30");

    await writeFolder(here, [30, 40]);
    await mirror(here).pull();
    assertEquals(contentOf(here)["run.json"], "run at 40");
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
