import { bodyLimit } from "hono/body-limit";
import type { Context } from "hono";
import { ProblemError } from "../problem.ts";

/**
 * Refuses a body of more than `maxBytes`: by its Content-Length before it is read, and while it is
 * read when it comes in chunks without one (RFC 9112 §7.1).
 *
 * @example
 * ```ts
 * app.post("/v1/classify", limitBody(10_000_000), async (c) => handle(await bodyBytes(c)));
 * ```
 */
export function limitBody(maxBytes: number) {
  return bodyLimit({
    maxSize: maxBytes,
    onError: () => {
      throw new ProblemError(
        "body-too-large",
        `Cannot read the image: the body has more than ${maxBytes} bytes`,
      );
    },
  });
}

/**
 * The whole body.
 * @throws {ProblemError} `empty-body` when there is none.
 */
export async function bodyBytes(c: Context): Promise<Uint8Array> {
  const bytes = new Uint8Array(await c.req.arrayBuffer());
  if (bytes.length === 0) {
    throw new ProblemError("empty-body", "Cannot read the image: the body is empty");
  }
  return bytes;
}
