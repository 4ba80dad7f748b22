// A whole retraining, from new images to the champion, with the trainer's key alone.
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { readPointer } from "../../../shared/registry/pointer.ts";
import { startWithRoles } from "../../deploy/policies.ts";
import { hasS3Server } from "../../object_store/s3_server.ts";
import { topfive } from "../../topfive_process.ts";

/** Few images are enough to see whether the key may: the gate takes whatever comes. */
const SETTINGS = {
  training: { epochs: 1 },
  gate: { minTestImages: 10, maxTop1Error: 1, maxTop5Error: 1 },
};

Deno.test({
  name: "topfive retrain promotes a model with the trainer's key",
  ignore: !hasS3Server,
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "topfive-trainer-" });
    const { server, keys } = await startWithRoles();
    await using _ = server;
    const variables = {
      AWS_ACCESS_KEY_ID: keys.trainer.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.trainer.secretAccessKey,
    };
    for (const [name, value] of Object.entries(variables)) Deno.env.set(name, value);
    try {
      const images = join(folder, "images");
      const sizes = ["--train", "400", "--validation", "10", "--test", "0"];
      await topfive(".", "data", "make", images, ...sizes);
      await bring(join(images, "train"), server.store());
      const config = join(folder, "settings.json");
      await Deno.writeTextFile(config, JSON.stringify(SETTINGS));
      const store = `s3://${server.bucket}?endpoint=${server.endpoint}`;
      await topfive(
        ...[".", "retrain", "shapes", "--store", store, "--config", config] as const,
        ...["--model", "alexnet-small", "--work", join(folder, "work")],
      );
      const champion = await readPointer(server.store(keys.server), "shapes", "champion");
      assertEquals(champion?.move, 1);
    } finally {
      for (const name of Object.keys(variables)) Deno.env.delete(name);
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** Puts images of a folder by class where retraining looks for new ones. */
async function bring(
  folder: string,
  store: { put(key: string, bytes: Uint8Array): Promise<unknown> },
): Promise<void> {
  for await (const { name: label } of Deno.readDir(folder)) {
    for await (const { name } of Deno.readDir(join(folder, label))) {
      const bytes = await Deno.readFile(join(folder, label, name));
      await store.put(`incoming/shapes/${label}/${name}`, bytes);
    }
  }
}
