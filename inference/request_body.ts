import { free } from "../shared/free.ts";
import { ProblemError, queueFull } from "./problem.ts";

export interface BodyLimits {
  /** Most bytes of one body. */
  readonly maxBytes: number;
  /** Longest time from the head of a request to the end of its body. */
  readonly milliseconds: number;
}

/** Bodies that arrive at once hold no more than this many of the largest: a queue of uploads is bounded too. */
const MOST_LARGEST = 16;

/**
 * Reads whole bodies. One that is too long is refused by its Content-Length before it is read, and
 * while it is read when it comes in chunks without one (RFC 9112 §7.1); one that takes too long, and
 * one that would take too much memory together with others, while it is read.
 *
 * Hono's bodyLimit makes a second Request out of a chunked one, and Deno 2.9 then warns on standard
 * error that `request.signal` was used; this reads the stream itself.
 */
export class BodyReader {
  readonly #limits: BodyLimits;
  /** Bytes of all bodies that are being read. */
  #held = 0;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  /**
   * @throws {ProblemError} `body-too-large`, `empty-body`, `slow-body`, `queue-full`, or
   * `unreadable-body` when the client ends the connection early.
   */
  async read(request: Request): Promise<Uint8Array<ArrayBuffer>> {
    const { maxBytes, milliseconds } = this.#limits;
    if (Number(request.headers.get("Content-Length")) > maxBytes) throw tooLarge(maxBytes);
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    let size = 0;
    try {
      for await (const chunk of chunksOf(request, milliseconds)) {
        size += chunk.length;
        this.#held += chunk.length;
        if (size > maxBytes) throw tooLarge(maxBytes);
        if (this.#held > MOST_LARGEST * maxBytes) throw queueFull();
        chunks.push(chunk);
      }
    } finally {
      this.#held -= size;
    }
    if (size === 0) {
      throw new ProblemError("empty-body", "Cannot read the image: the body is empty");
    }
    return joined(chunks, size);
  }
}

function joined(
  chunks: readonly Uint8Array<ArrayBuffer>[],
  size: number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
    free(new Uint8Array(chunk.buffer));
  }
  return bytes;
}

/**
 * What the stream throws is the client's doing. Leaving the loop early must not cancel the stream:
 * Deno 2.9.6 then keeps the connection for as long as the client sends, and `shutdown()` waits for
 * it (seen on 2026-11-24); a body left unread makes it answer and close.
 */
async function* chunksOf(
  { body }: Request,
  milliseconds: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (body === null) return;
  const reader = body.getReader();
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), milliseconds);
  try {
    while (true) {
      const chunk = await Promise.race([nextChunk(reader), late.promise]);
      if (chunk === "late") throw tooSlow(milliseconds);
      if (chunk === undefined) return;
      yield chunk;
    }
  } finally {
    clearTimeout(timer);
    reader.releaseLock();
  }
}

async function nextChunk(
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return (await reader.read()).value;
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

function tooSlow(milliseconds: number): ProblemError {
  return new ProblemError(
    "slow-body",
    `Cannot read the image: the body was not complete within ${milliseconds / 1000} s`,
    { headers: { "Connection": "close" } },
  );
}
