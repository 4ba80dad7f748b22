// What a checkpoint of full-size AlexNet costs: 488 MB of weights and momenta.
import { assert, assertEquals } from "@std/assert";
import { readCheckpoint } from "../../training/checkpoint/checkpoint.ts";
import { findCheckpoint } from "../../training/checkpoint/checkpoint_folder.ts";
import { CheckpointKeeper } from "../../training/checkpoint/checkpoint_keeper.ts";
import { makeConfig } from "../../training/config.ts";
import { openGpu } from "../../training/gpu/device.ts";
import { Engine } from "../../training/graph/engine.ts";
import { initialValues } from "../../training/graph/parameters.ts";
import { MODELS } from "../../training/models/models.ts";
import { START } from "../../training/training_state.ts";

/** One copy on the host, and of the largest tensor (fc6, 151 MB) the mapped bytes as well. */
const MOST_MEMORY = 488e6 + 2 * 151e6 + 100e6;

Deno.test("CheckpointKeeper keeps full-size AlexNet with one copy on the host", async () => {
  const run = await Deno.makeTempDir();
  const gpu = await openGpu();
  const { build, crop, channels } = MODELS.alexnet;
  const engine = await Engine.create(gpu, build(1000), {
    batch: 1,
    preprocess: { side: 256, crop, channels, mean: [120, 120, 120], std: [60, 60, 60] },
    momentum: 0.9,
    decay: 0,
  });
  try {
    const parameters = initialValues(engine.arena, 1);
    engine.loadParameters(parameters);
    const origin = {
      codeVersion: "0.1.0",
      config: makeConfig("alexnet", {}),
      adapter: gpu.description,
      tiles: {},
      dataFingerprint: "ab",
    };
    await using keeper = new CheckpointKeeper({ run, engine, origin, keep: 1 });
    const before = Deno.memoryUsage().rss;
    let most = before;
    const watch = setInterval(() => most = Math.max(most, Deno.memoryUsage().rss), 5);
    await keeper.save({ ...START, step: 1 });
    await keeper.settle();
    clearInterval(watch);
    const { reading, writing } = keeper.times;
    const file = (await findCheckpoint(run, "latest"))!;
    const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
    console.log(
      `${megabytes(Deno.statSync(file).size)}: read from the GPU in ${reading.toFixed(2)} s, ` +
        `written in ${writing.toFixed(2)} s beside it, ${megabytes(most - before)} more memory`,
    );
    assert(most - before < MOST_MEMORY, megabytes(most - before));
    assertEquals((await readCheckpoint(file)).parameters, parameters);
  } finally {
    engine.close();
    gpu.close();
    await Deno.remove(run, { recursive: true });
  }
});
