import { startSpareWorker } from "./workers/spare_worker.ts";

/**
 * The entry for `deno serve inference/main.ts` and for hosts that call `fetch` themselves, such as
 * Deno Deploy: settings come from the environment alone. `topfive serve` is in `serve.ts`, because
 * Deno warns of a default export with `fetch` in what is started by `deno run`.
 *
 * A model that cannot be loaded ends the process: its rejection is left unhandled on purpose, so
 * that whoever started it sees a failed start and not a service that is never ready.
 */
startSpareWorker();

// Imported while the worker loads its code, see `serve.ts`.
const { readConfig } = await import("./config.ts");
const { createLog } = await import("./log.ts");
const { askForRetraining } = await import("./retrain_trigger.ts");
const { startService } = await import("./service.ts");

const env = (name: string) => Deno.env.get(name);
const config = readConfig([], env);
const log = createLog({ json: config.json });
// Who listens is not ours to say here, and `deno serve` listens to everybody unless told otherwise:
// API keys are wanted, or TOPFIVE_OPEN.
const service = await startService(
  { ...config, host: env("TOPFIVE_LISTEN_HOST") ?? "0.0.0.0" },
  log,
);

// At the top level: Deno Deploy finds it by evaluating this module. Elsewhere Deno.cron is there with
// --unstable-cron alone.
if (Deno.cron !== undefined) {
  const schedule = env("TOPFIVE_RETRAIN_CRON") || "0 3 * * *";
  const options = { backoffSchedule: [60_000, 600_000] };
  Deno.cron("ask for a retraining", schedule, options, () => askForRetraining(env, log));
}

// Deno Deploy sends SIGINT and ends the process five seconds later.
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, async () => {
    setTimeout(() => Deno.exit(0), config.drainSeconds * 1000);
    await service.drain();
    await service.close();
    Deno.exit(0);
  });
}

export default { fetch: service.fetch } satisfies Deno.ServeDefaultExport;
