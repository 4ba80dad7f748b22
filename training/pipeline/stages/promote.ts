import { PreconditionFailedError } from "../../../shared/object_store/object_store.ts";
import { readPointer } from "../../../shared/registry/pointer.ts";
import { watchCanary } from "../canary/watch_canary.ts";
import type { Stage, StageContext } from "../stage.ts";

export interface PromoteOutput {
  /** False where the canary was taken back. */
  readonly promoted: boolean;
  /** The champion before. */
  readonly from: string | null;
  /** What the canary showed; null where there was none. */
  readonly canary: string | null;
}

/**
 * Makes the version what services answer with, in the place of the one that it was compared with and
 * of no other: at once, or when a canary in the running services has passed.
 */
export const promote: Stage<"promote"> = {
  name: "promote",
  inputs: ({ settings, result }) => ({
    published: result("publish"),
    champion: result("evaluate").champion?.version ?? null,
    canary: settings.canary,
  }),
  async run(context) {
    const { store, model, run, lease, settings, result } = context;
    const { version } = result("publish");
    const { champion } = result("evaluate");
    const from = champion?.version ?? null;
    const afterMove = champion?.move ?? 0;
    const pointer = await readPointer(store, model, "champion");
    // An attempt that was killed behind the move.
    if (pointer?.version === version && pointer.move === afterMove + 1) {
      return { promoted: true, from, canary: null };
    }
    if (settings.canary && champion) return await promoteByCanary(context, version, from);
    const { by } = run.record;
    const reason = `run ${run.record.run} passed the gate`;
    await lease.move({ alias: "champion", version, by, reason, from, afterMove });
    return { promoted: true, from, canary: null };
  },
  describe: ({ promoted, from, canary }) =>
    [
      promoted ? (from ? `in the place of ${from}` : "the first champion") : "the canary failed",
      ...(canary ? [canary] : []),
    ].join("; "),
};

async function promoteByCanary(
  { store, model, run, lease, line, settings, signal, apiKey, result }: StageContext,
  version: string,
  from: string | null,
): Promise<PromoteOutput> {
  const { setting, services, policy } = settings.canary!;
  const pointer = await readPointer(store, model, "champion");
  if (pointer?.version !== from || pointer?.move !== result("evaluate").champion?.move) {
    throw new PreconditionFailedError(
      `Cannot begin a canary of ${version}: it was compared with ${from}, and ` +
        `${pointer?.version ?? "nothing"} is the champion by now`,
    );
  }
  const { promoted, reason } = await watchCanary({
    ...{ store, name: model, version, setting, policy, signal },
    by: run.record.by,
    services: services.map((url) => ({ url, apiKey })),
    onProgress: (text) => line.print(`promote: ${text}`),
    move: (alias, { version, by, reason, from, afterMove, canary }) =>
      lease.move({
        ...{ alias, version, by, reason, from, afterMove },
        ...(canary ? { canary } : {}),
      }),
  });
  return { promoted, from, canary: reason };
}
