import { startSpareWorker } from "./workers/spare_worker.ts";

/**
 * The program `topfive serve`. It imports next to nothing, so that the network's worker loads its code
 * from the first moment on, and the service its own beside it.
 */
export async function main(): Promise<never> {
  startSpareWorker();
  const { serveUntilStopped } = await import("./listen.ts");
  return await serveUntilStopped();
}

if (import.meta.main) await main();
