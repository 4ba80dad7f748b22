import { readConfig } from "./config.ts";
import { createLog } from "./log.ts";
import { startService } from "./service.ts";

/**
 * The entry for `deno serve inference/main.ts` and for hosts that call `fetch` themselves, such as
 * Deno Deploy: settings come from the environment alone. `topfive serve` is in `serve.ts`, because
 * Deno warns of a default export with `fetch` in what is started by `deno run`.
 *
 * A model that cannot be loaded ends the process: its rejection is left unhandled on purpose, so
 * that whoever started it sees a failed start and not a service that is never ready.
 */
const config = readConfig([], (name) => Deno.env.get(name));
const { fetch } = startService(config, createLog({ json: config.json }));

export default { fetch } satisfies Deno.ServeDefaultExport;
