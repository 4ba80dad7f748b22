// The service as one script, moved to a folder of its own, with no npm cache, sources or network.
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { fixture } from "../../inference/fixtures/colours.ts";
import { coloursStore } from "../../inference/fixtures/colours_store.ts";
import { ENVIRONMENT } from "../../inference/config.ts";
import { bundleService } from "../../infra/bundle/bundle.ts";
import { openPort, startService } from "./running_service.ts";

const webp = new Uint8Array(
  await Deno.readFile(new URL("white.webp", import.meta.url)),
);

Deno.test("the bundled service answers every codec's images, reading its own folder and the store", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await bundleService(folder);
    await using store = await coloursStore();
    const port = openPort();
    const args = [
      "run",
      "--no-prompt",
      "--no-config",
      "--no-remote",
      "--no-npm",
      "--unstable-no-legacy-abort",
      `--allow-read=${folder},${store.folder}`,
      `--allow-net=127.0.0.1:${port}`,
      `--allow-env=${[...ENVIRONMENT, "IMAGESCRIPT_WASM_SIMD"].join(",")}`,
      join(folder, "topfive.js"),
      ...["--store", store.folder, "--port", String(port), "--threads", "2"],
    ];
    // An empty cache of its own: nothing can come from the packages that the tests run on.
    const env = { DENO_DIR: join(folder, "cache") };
    await using service = await startService(Deno.execPath(), args, { port, env });
    assertEquals(await service.classify(await fixture("red.png")), "red");
    assertEquals(await service.classify(await fixture("blue.jpg")), "blue");
    assertEquals(await service.classify(await fixture("grey.gif")), "white");
    assertEquals(await service.classify(webp), "white");
    for (const path of ["/", "/docs", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js"]) {
      const answer = await fetch(service.url + path);
      await answer.body?.cancel();
      assert(answer.ok, `${path}: ${answer.status}`);
    }
    const { code, output } = await service.stop("SIGTERM");
    assertEquals(code, 0, output);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
