import { type Config, describeSettings, readConfig } from "./config.ts";
import { createLog, type Log } from "./log.ts";
import { type Service, startService } from "./service.ts";

const HELP = `Usage: topfive serve [options]

Answers images over HTTP with their likeliest classes, from a model in an object store.

${describeSettings()}

Flags win over environment variables.

Examples:
  topfive serve
  topfive serve --store /srv/models --model alexnet-small --port 9000
  TOPFIVE_MODEL=lenet5 topfive serve --json
  curl --data-binary @photo.jpg 'http://127.0.0.1:8000/v1/classify?top=3'

The process may read the store and its own packages, listen on its one address and see its own
variables, connect to a bucket and to --fetch-hosts, write --feedback and --weights-cache, and
nothing else: inference/permissions.ts prints the flags for given settings.
`;

/**
 * `topfive serve`: listens at once, tells the address when the model is loaded, and ends when
 * `stop` is aborted, after the open requests. Resolves to the exit code: 0 after a stop, 1 when the
 * service could not start, 2 when the command line cannot be read.
 */
export async function serve(args: readonly string[], stop: AbortSignal): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(HELP);
    return 0;
  }
  let config: Config;
  try {
    config = readConfig(args, (name) => Deno.env.get(name));
  } catch (error) {
    return fail(error, 2);
  }
  const log = createLog({ json: config.json });
  try {
    const service = await startService(config, log);
    return await listen(service, config, log, stop);
  } catch (error) {
    return fail(error, 1);
  }
}

async function listen(
  service: Service,
  config: Config,
  log: Log,
  stop: AbortSignal,
): Promise<number> {
  const server = bind(service, config);
  const stopped = new Promise<undefined>((resolve) => {
    if (stop.aborted) resolve(undefined);
    stop.addEventListener("abort", () => resolve(undefined), { once: true });
  });
  try {
    const model = await Promise.race([service.ready, stopped]);
    if (model !== undefined) {
      const { name, version } = model.manifest;
      console.log(`topfive serves ${name} ${version} at ${urlOf(server.addr)}`);
    }
    await stopped;
    const drained = await within(config.drainSeconds, async () => {
      await service.drain();
      await server.shutdown();
      await service.close();
    });
    log.info("stopped", { drained });
  } finally {
    void server.shutdown();
  }
  return 0;
}

/** Whether `work` was done in time; what is left of it after that is cut off by the exit. */
async function within(seconds: number, work: () => Promise<void>): Promise<boolean> {
  const timeout = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => timeout.resolve(false), seconds * 1000);
  try {
    return await Promise.race([work().then(() => true), timeout.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function bind(service: Service, { host: hostname, port }: Config): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ hostname, port, onListen: () => {} }, service.fetch);
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new Error(
      `Cannot listen on ${urlOf({ hostname, port })}: another program has this port (choose one ` +
        "with --port, 0 takes any free one)",
      { cause: error },
    );
  }
}

function urlOf({ hostname, port }: Pick<Deno.NetAddr, "hostname" | "port">): string {
  return `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}/`;
}

function fail(error: unknown, exitCode: number): number {
  console.error(`topfive: ${explain(error)}`);
  return exitCode;
}

/** Our own messages carry their next step; what Deno's permissions refuse gets it here. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof Deno.errors.NotCapable || error.message.includes("NotCapable")) {
    return `Cannot start: Deno's permissions do not cover these settings: ${error.message} ` +
      "(inference/permissions.ts prints the flags that do)";
  }
  return error.message;
}

/** `serve` with the process's arguments until the process is told to stop. */
export async function serveUntilStopped(): Promise<never> {
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => stop.abort());
  }
  // exit, because threads of the ONNX engine would keep the process alive.
  Deno.exit(await serve(Deno.args, stop.signal));
}
