// Deno's own cron, as Deno Deploy has it, asks for a retraining.
import { assertEquals } from "@std/assert";
import { coloursStore } from "../../../inference/fixtures/colours_store.ts";
import { canConfine, startOnDeploy } from "../../deploy/deno_deploy.ts";

Deno.test({
  name: "Deno Deploy's entry asks for a retraining when its cron says so (needs root)",
  ignore: !canConfine,
  async fn() {
    const asked = Promise.withResolvers<[string, string | null, string]>();
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      async (request) => {
        const token = request.headers.get("Authorization");
        asked.resolve([request.method, token, await request.text()]);
        return new Response(null, { status: 204 });
      },
    );
    await using store = await coloursStore();
    await using service = await startOnDeploy({
      TOPFIVE_STORE: store.folder,
      TOPFIVE_OPEN: "true",
      TOPFIVE_RETRAIN_URL: `http://127.0.0.1:${server.addr.port}/dispatches`,
      TOPFIVE_RETRAIN_TOKEN: "token",
      TOPFIVE_RETRAIN_CRON: "* * * * *",
    });
    // Cron's shortest step is a minute.
    assertEquals(await asked.promise, ["POST", "Bearer token", '{"ref":"main"}']);
    assertEquals((await service.stop("SIGINT")).code, 0);
    await server.shutdown();
  },
});
