import { ImageError, type ImageErrorCode } from "../shared/image/image.ts";
import { instanceOf } from "./request_id.ts";
import { WorkerEndedError } from "./workers/task_worker.ts";

/**
 * Every error a client can meet, once: the key is the last segment of the RFC 9457 `type`, and
 * `help` is what `GET /problems/<key>` answers (RFC 9457 §3.1.1: a type should resolve to help).
 */
export const PROBLEMS = {
  "empty-body": {
    status: 400,
    title: "The request has no body",
    help: "Send the bytes of one image as the body: curl --data-binary @photo.jpg …/v1/classify",
  },
  "unreadable-body": {
    status: 400,
    title: "The body ended early",
    help: "The connection broke while the image was sent; send it again.",
  },
  "unreadable-request": {
    status: 400,
    title: "The request cannot be read",
    help: "Send the bytes of one image, a form (multipart/form-data) with files, or JSON with " +
      "`image` or `images` in base64, or `url` or `urls` where the service fetches addresses.",
  },
  "invalid-parameter": {
    status: 400,
    title: "A query parameter is not valid",
    help:
      "`top` is a whole number from 1 (more than there are classes gives all classes), `views` " +
      "is 1 or 10, `threshold` 0 to 1, `explain` 0 or 1.",
  },
  "key-missing": {
    status: 401,
    title: "The request has no API key",
    help: "Send the key that the operator gave you: Authorization: Bearer KEY, or X-API-Key: KEY.",
  },
  "key-unknown": {
    status: 401,
    title: "The API key is not known here",
    help: "It may have been rotated: ask the operator for the new one.",
  },
  "key-scope": {
    status: 403,
    title: "The API key may not do that",
    help:
      "A key's scope says what it is for: classify, feedback, metrics, or admin for everything.",
  },
  "not-found": {
    status: 404,
    title: "There is nothing at this address",
    help:
      "POST /v1/classify answers images; GET / is the page, GET /healthz and /readyz the state.",
  },
  "model-not-found": {
    status: 404,
    title: "The service has no such model or version",
    help: "POST /v2/repository/index lists the models and versions that are loaded.",
  },
  "method-not-allowed": {
    status: 405,
    title: "This address does not answer that method",
    help: "The Allow header names the methods that the address answers.",
  },
  "slow-body": {
    status: 408,
    title: "The body arrived too slowly",
    help: "Send the image again, smaller or over a better connection.",
  },
  "body-too-large": {
    status: 413,
    title: "The body is larger than this service accepts",
    help: "Send a smaller file, or raise the limit where the service is started (--max-body).",
  },
  "unsupported-image": {
    status: 415,
    title: "The body is not an image that can be read here",
    help: "The format is read from the bytes themselves; the Content-Type header plays no part.",
  },
  "corrupt-image": {
    status: 422,
    title: "The image breaks its own format",
    help: "The file is damaged or cut short; save it again from a program that opens it.",
  },
  "unknown-label": {
    status: 422,
    title: "The feedback's label is not one that can be kept",
    help:
      "GET /v1/feedback lists the model's labels; others are taken where the operator says so " +
      "(--feedback-new-labels).",
  },
  "image-url-refused": {
    status: 403,
    title: "The image's address is not one that this service fetches from",
    help:
      "Send the image itself, or an https address without a password, at a host that the operator " +
      "allows (--fetch-hosts) and that is on the public internet.",
  },
  "image-url-failed": {
    status: 422,
    title: "The image could not be fetched from its address",
    help:
      "Look at the address in a browser; what it gives must be the image itself, within the size " +
      "and time limits of this service.",
  },
  "image-too-large": {
    status: 422,
    title: "The image has more pixels than this service accepts",
    help: "Scale the image down, or raise the limit where the service is started (--max-pixels).",
  },
  "image-too-slow": {
    status: 422,
    title: "The image took too long to decode",
    help: "The decoding was ended; save the image again from a program that opens it, or smaller.",
  },
  "too-many-requests": {
    status: 429,
    title: "Too many requests",
    help: "Ask again after the seconds in Retry-After; the RateLimit headers say what is left.",
  },
  "client-gone": {
    status: 499,
    title: "The client went away",
    help: "The connection ended before the answer; nothing more was computed for it.",
  },
  "internal-error": {
    status: 500,
    title: "The service failed",
    help: "The log has the cause under the request id that `instance` names.",
  },
  "model-not-loaded": {
    status: 503,
    title: "No model is loaded yet",
    help: "Ask again after the seconds in the Retry-After header; GET /readyz tells when.",
  },
  "queue-full": {
    status: 503,
    title: "Too many images are waiting",
    help: "Ask again after the seconds in the Retry-After header.",
  },
  "too-slow": {
    status: 503,
    title: "The answer took too long",
    help: "The service is busy; ask again after the seconds in the Retry-After header.",
  },
  "stopping": {
    status: 503,
    title: "The service is stopping",
    help: "Ask again after the seconds in the Retry-After header, on a new connection.",
  },
} as const satisfies Record<string, { status: number; title: string; help: string }>;

/** The name of a problem: the last segment of its RFC 9457 `type`. */
export type ProblemName = keyof typeof PROBLEMS;

/** An error that the client is told about; anything else that is thrown becomes a plain 500. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly problem: ProblemName;
  readonly headers: Readonly<Record<string, string>>;

  /** `detail` is for the client: it never holds a path, a key or a stack of this service. */
  constructor(
    problem: ProblemName,
    detail: string,
    options: { headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(detail, { cause: options.cause });
    this.problem = problem;
    this.headers = options.headers ?? {};
  }
}

/** The answer while no model is loaded. Loading takes one to a few seconds (measured 2026-11). */
export function modelNotLoaded(): ProblemError {
  return new ProblemError("model-not-loaded", "Cannot answer yet: the model is being loaded", {
    headers: { "Retry-After": "2" },
  });
}

/** The answer to an image that finds the queue full; a run takes well under a second. */
export function queueFull(): ProblemError {
  return new ProblemError("queue-full", "Cannot take the image now: too many are waiting", {
    headers: { "Retry-After": "1" },
  });
}

function tooSlow(cause: unknown): ProblemError {
  return new ProblemError("too-slow", "Cannot answer in time: the service is busy", {
    headers: { "Retry-After": "2" },
    cause,
  });
}

const IMAGE_PROBLEMS: Record<ImageErrorCode, ProblemName> = {
  "unsupported": "unsupported-image",
  "corrupt": "corrupt-image",
  "too-large": "image-too-large",
};

/** What a client is told about anything thrown while its request was answered. */
export function toProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  if (error instanceof ImageError) {
    return new ProblemError(IMAGE_PROBLEMS[error.code], error.message, { cause: error });
  }
  if (error instanceof WorkerEndedError) return tooSlow(error);
  if (error instanceof DOMException && error.name === "AbortError") {
    return new ProblemError("client-gone", "Cannot answer: the client went away", { cause: error });
  }
  if (error instanceof DOMException && error.name === "TimeoutError") return tooSlow(error);
  // The cause goes to the log alone: it may name files of this service.
  return new ProblemError("internal-error", "Cannot answer the request: the cause is in the log", {
    cause: error,
  });
}

/**
 * The RFC 9457 answer; `instance` names the request, so that a client's report finds its log line.
 */
export function problemResponse(error: ProblemError, requestId: string): Response {
  const { status, title } = PROBLEMS[error.problem];
  const body = {
    type: `/problems/${error.problem}`,
    title,
    status,
    detail: error.message,
    instance: instanceOf(requestId),
  };
  return new Response(JSON.stringify(body), {
    status,
    headers: { ...error.headers, "Content-Type": "application/problem+json" },
  });
}
