// OpenTofu reads infra/bucket. Its AWS provider cannot be had without its registry, so the resources
// themselves are parsed and formatted alone; the policies' module, which needs no provider, is tested.
import { fromFileUrl } from "@std/path";
import { shell } from "./container_engine.ts";

const TOFU = fromFileUrl(new URL("../../../.topfive/bin/tofu", import.meta.url));
const BUCKET = fromFileUrl(new URL("../../../infra/bucket", import.meta.url));
const ignore = !await Deno.stat(TOFU).then(() => true, () => false);

Deno.test({
  name: "OpenTofu finds the bucket's files well-formed, and the policies' tests pass " +
    "(needs infra/tools/install.sh slow)",
  ignore,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      await shell('"$1" fmt -check -recursive -diff "$2"', {}, TOFU, BUCKET);
      const env = { TF_DATA_DIR: folder, HOME: folder };
      for (const command of ["init -no-color", "validate -no-color", "test -no-color"]) {
        await shell(`cd "$2/policies" && "$1" ${command}`, env, TOFU, BUCKET);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
