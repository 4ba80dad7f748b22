import { z } from "zod";
import type { Log } from "./log.ts";

/** Where retraining is asked for; the service itself has no GPU and trains nothing. */
const Trigger = z.object({
  url: z.url({ protocol: /^https?$/ }),
  token: z.string().min(1).optional(),
  /** GitHub's dispatch of a workflow wants the branch; others ignore it. */
  body: z.string().default('{"ref":"main"}'),
});

/** Names of the variables that {@linkcode askForRetraining} reads. */
export const TRIGGER_VARIABLES = [
  "TOPFIVE_RETRAIN_URL",
  "TOPFIVE_RETRAIN_TOKEN",
  "TOPFIVE_RETRAIN_BODY",
] as const;

/** Longest wait for the answer: it says that a run was queued, not that it has ended. */
const TIMEOUT_MS = 30_000;

/**
 * Asks by `POST TOPFIVE_RETRAIN_URL` that the model be trained again, with TOPFIVE_RETRAIN_TOKEN as
 * bearer token; does nothing where no address is set.
 *
 * @throws {SyntaxError} when a variable cannot be read.
 * @throws {Error} when the answer is not a good one, so that the scheduler tries again.
 */
export async function askForRetraining(
  env: (name: string) => string | undefined,
  log: Log,
): Promise<void> {
  const [address, token, body] = TRIGGER_VARIABLES.map((name) => env(name) || undefined);
  if (address === undefined) return;
  const trigger = Trigger.safeParse({ url: address, token, body });
  if (!trigger.success) {
    throw new SyntaxError(
      `Cannot read TOPFIVE_RETRAIN_URL: "${address}" is no http or https address`,
    );
  }
  const answer = await fetch(trigger.data.url, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      ...(trigger.data.token ? { Authorization: `Bearer ${trigger.data.token}` } : {}),
    },
    body: trigger.data.body,
    redirect: "error",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  await answer.body?.cancel();
  if (!answer.ok) {
    throw new Error(
      `Cannot ask for a retraining: ${new URL(trigger.data.url).host} answered ${answer.status} ` +
        "(check TOPFIVE_RETRAIN_URL and TOPFIVE_RETRAIN_TOKEN)",
    );
  }
  log.info("retraining_asked", { status: answer.status });
}
