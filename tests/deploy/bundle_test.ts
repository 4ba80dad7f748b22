// The service as one script, moved to a folder of its own, with no npm cache, sources or network.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { fixture } from "../../inference/fixtures/colours.ts";
import { coloursStore } from "../../inference/fixtures/colours_store.ts";
import { ENVIRONMENT } from "../../inference/config.ts";
import { SMALL_YOUNG_GENERATION } from "../../inference/permissions.ts";
import { bundleService } from "../../infra/bundle/bundle.ts";
import { CACHE, warmBundle } from "../../infra/bundle/warm.ts";
import { openPort, startService } from "./running_service.ts";

const webp = new Uint8Array(
  await Deno.readFile(new URL("white.webp", import.meta.url)),
);

Deno.test("the bundled service answers every codec's images, reading its own folder and the store, and starts from compiled code once warmed", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await bundleService(folder);
    await using store = await coloursStore();
    const port = openPort();
    const script = join(folder, "topfive.js");
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
      script,
      ...["--store", store.folder, "--port", String(port), "--threads", "2"],
    ];
    // An empty cache of its own: nothing can come from the packages that the tests run on.
    const env = { DENO_DIR: join(folder, "empty") };
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

    await warmBundle(folder);
    const verbose = args.toSpliced(1, 0, "--log-level=debug", SMALL_YOUNG_GENERATION);
    await using again = await startService(Deno.execPath(), verbose, {
      port,
      env: { DENO_DIR: join(folder, CACHE) },
    });
    assertEquals(await again.classify(await fixture("red.png")), "red");
    const { output: log } = await again.stop("SIGTERM");
    for (const query of ["", "?worker=run_worker", "?worker=decode_worker"]) {
      assertStringIncludes(log, `V8 code cache hit for ES module: file://${script}${query},`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
