import { readXml } from "./xml.ts";

/** Answers that another attempt may get past; 409 is that of two conditional writes at once. */
const TEMPORARY = [408, 409, 425, 429, 500, 502, 503, 504];

const NEXT_STEPS: Readonly<Record<string, string>> = {
  NoSuchBucket: "create the bucket or correct its name",
  InvalidAccessKeyId: "check AWS_ACCESS_KEY_ID",
  SignatureDoesNotMatch: "check AWS_SECRET_ACCESS_KEY",
  AccessDenied: "these credentials may not do this: check the bucket's policy",
  ExpiredToken: "renew the session's credentials",
  RequestTimeTooSkewed: "correct this machine's clock",
  PermanentRedirect: "check the region and the endpoint",
  AuthorizationHeaderMalformed: "check the region",
};

/** What an S3 server refused, or that it could not be reached; the message names the next step. */
export class S3Error extends Error {
  override readonly name = "S3Error";
  /** HTTP status, or undefined when there was no answer. */
  readonly status: number | undefined;
  /** The server's word for it, such as "NoSuchBucket". */
  readonly code: string | undefined;
  readonly retryAfterMs: number | null;

  constructor(
    action: string,
    reason: {
      readonly status?: number;
      readonly code?: string;
      readonly message?: string;
      readonly retryAfterMs?: number | null;
      readonly cause?: unknown;
    },
  ) {
    const { status, code, message, cause } = reason;
    const step = code === undefined ? undefined : NEXT_STEPS[code];
    const why = status === undefined
      ? rootMessage(cause)
      : [status, code, message].filter((part) => part !== undefined && part !== "").join(" ");
    super(`${action}: ${why}${step ? ` (${step})` : ""}`, cause === undefined ? {} : { cause });
    this.status = status;
    this.code = code;
    this.retryAfterMs = reason.retryAfterMs ?? null;
  }

  get temporary(): boolean {
    return this.status === undefined || TEMPORARY.includes(this.status);
  }
}

/** "fetch failed" tells nobody anything; its innermost cause does. */
function rootMessage(cause: unknown): string {
  if (!(cause instanceof Error)) return "no answer";
  return cause.cause instanceof Error ? rootMessage(cause.cause) : cause.message;
}

/** Reads an error's answer to its end; a HEAD has no body, so the status must do. */
export async function readS3Error(response: Response, action: string): Promise<S3Error> {
  const text = await response.text();
  let code: string | undefined;
  let message: string | undefined;
  try {
    const error = readXml(text);
    code = error.child("Code")?.text;
    message = error.child("Message")?.text;
  } catch {
    // A proxy's page, not the server's.
  }
  return new S3Error(action, {
    status: response.status,
    ...(code ? { code } : {}),
    ...(message ? { message } : {}),
    retryAfterMs: readRetryAfter(response.headers.get("retry-after")),
  });
}

/** Seconds or a date, RFC 9110 section 10.2.3; milliseconds from now. */
function readRetryAfter(value: string | null): number | null {
  if (value === null) return null;
  const seconds = Number(value);
  const ms = Number.isNaN(seconds) ? Date.parse(value) - Date.now() : seconds * 1000;
  return Number.isNaN(ms) ? null : Math.max(0, ms);
}
