/**
 * Tells a program of somebody's own how a retraining ended: one POST of JSON, signed as Standard
 * Webhooks 1.0.0 has it (standardwebhooks.com), which many platforms' libraries check.
 * @module
 */
import { createHmac } from "node:crypto";
import { messageOf } from "../../../shared/message_of.ts";

export interface Webhook {
  readonly url: string;
  /** `whsec_` and base64, or any text. */
  readonly secret: string;
}

export interface WebhookMessage {
  /** The same for the same event, however often it is sent: receivers drop what they had. */
  readonly id: string;
  readonly body: unknown;
}

export interface DeliveryOptions {
  /** Sendings, the first included. */
  readonly attempts?: number;
  /** Before the second sending; doubled before each other one. */
  readonly backoffMs?: number;
  readonly timeoutMs?: number;
}

/** Asks for the same thing again later (RFC 9110), and too many requests (RFC 6585). */
const TRY_AGAIN = [408, 425, 429];

/**
 * Sends a message until it is taken.
 *
 * @returns null, or why it was not taken
 */
export async function deliver(
  { url, secret }: Webhook,
  { id, body }: WebhookMessage,
  { attempts = 5, backoffMs = 1000, timeoutMs = 10_000 }: DeliveryOptions = {},
): Promise<string | null> {
  const text = JSON.stringify(body);
  let problem = "";
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (attempt > 0) await sleep(backoffMs * 2 ** (attempt - 1) * (0.5 + Math.random()));
    // Receivers refuse old timestamps, so each sending has its own.
    const timestamp = String(Math.floor(Date.now() / 1000));
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "user-agent": "topfive",
          "webhook-id": id,
          "webhook-timestamp": timestamp,
          "webhook-signature": `v1,${sign(secret, `${id}.${timestamp}.${text}`)}`,
        },
        body: text,
        // A signed message is for this address and no other.
        redirect: "manual",
        signal: AbortSignal.timeout(timeoutMs),
      });
      await response.body?.cancel();
      if (response.ok) return null;
      problem = `it answered ${response.status}`;
      if (response.status < 500 && !TRY_AGAIN.includes(response.status)) return problem;
    } catch (error) {
      problem = messageOf(error);
    }
  }
  return `${problem} (${attempts} times)`;
}

/** base64 of HMAC-SHA256. */
function sign(secret: string, text: string): string {
  const key = secret.startsWith("whsec_")
    ? Uint8Array.fromBase64(secret.slice("whsec_".length))
    : new TextEncoder().encode(secret);
  return createHmac("sha256", key).update(text).digest("base64");
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
