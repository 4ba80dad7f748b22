import { assertEquals, assertRejects } from "@std/assert";
import { createLog } from "./log.ts";
import { askForRetraining } from "./retrain_trigger.ts";

/** A server that takes triggers; `asked` is what reached it. */
function receiver(status: number) {
  const asked: { authorization: string | null; body: string }[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      asked.push({
        authorization: request.headers.get("Authorization"),
        body: await request.text(),
      });
      return new Response(null, { status });
    },
  );
  return {
    asked,
    url: `http://127.0.0.1:${server.addr.port}/dispatches`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const lines: string[] = [];
const log = createLog({ json: true, write: (line) => lines.push(line) });

function ask(variables: Record<string, string>) {
  return askForRetraining((name) => variables[name], log);
}

Deno.test("askForRetraining() posts the branch with the token, and logs no secret", async () => {
  await using server = receiver(204);
  await ask({ TOPFIVE_RETRAIN_URL: server.url, TOPFIVE_RETRAIN_TOKEN: "s3cret" });
  assertEquals(server.asked, [{ authorization: "Bearer s3cret", body: '{"ref":"main"}' }]);
  assertEquals(lines.length, 1);
  assertEquals(lines.join("").includes("s3cret"), false);
});

Deno.test("askForRetraining() fails where it is refused, so that the scheduler tries again", async () => {
  await using server = receiver(401);
  await assertRejects(
    () => ask({ TOPFIVE_RETRAIN_URL: server.url }),
    Error,
    "answered 401 (check TOPFIVE_RETRAIN_URL",
  );
});

Deno.test("askForRetraining() does nothing without an address, and refuses what is none", async () => {
  await ask({});
  await assertRejects(
    () => ask({ TOPFIVE_RETRAIN_URL: "ftp://x/" }),
    SyntaxError,
    "no http or https",
  );
});
