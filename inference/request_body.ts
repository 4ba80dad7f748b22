import { ProblemError } from "./problem.ts";

/**
 * The whole body of a request, at most `maxBytes`: a longer one is refused by its Content-Length
 * before it is read, and while it is read when it comes in chunks without one (RFC 9112 §7.1).
 *
 * Hono's bodyLimit makes a second Request out of a chunked one, and Deno 2.9 then warns on standard
 * error that `request.signal` was used; this reads the stream itself.
 *
 * @throws {ProblemError} `body-too-large`, `empty-body`, or `unreadable-body` when the client ends
 * the connection early.
 */
export async function readBody(
  request: Request,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(request.headers.get("Content-Length")) > maxBytes) throw tooLarge(maxBytes);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunksOf(request)) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  if (size === 0) throw new ProblemError("empty-body", "Cannot read the image: the body is empty");
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

/**
 * What the stream throws is the client's doing. Leaving the loop early must not cancel the stream:
 * Deno 2.9.6 then keeps the connection for as long as the client sends, and `shutdown()` waits for
 * it (seen on 2026-11-24); a body left unread makes it answer and close.
 */
async function* chunksOf({ body }: Request): AsyncGenerator<Uint8Array> {
  if (body === null) return;
  try {
    for await (const chunk of body.values({ preventCancel: true })) yield chunk;
  } catch (cause) {
    throw new ProblemError(
      "unreadable-body",
      "Cannot read the image: the body ended before it was complete",
      { cause },
    );
  }
}

function tooLarge(maxBytes: number): ProblemError {
  return new ProblemError(
    "body-too-large",
    `Cannot read the image: the body has more than ${maxBytes} bytes`,
  );
}
