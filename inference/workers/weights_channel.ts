/**
 * A stream of weights from the thread that reads the store to the one that packs them. Chunks are
 * moved, not copied, and freed as soon as they are used: left to the garbage collectors, tens of
 * megabytes of them lie about in both threads (AlexNet in int8: 110 MB of 310, 2026-11).
 * @module
 */
import { messageOf } from "../../shared/message_of.ts";

/** Chunks that may be on their way: enough to keep both threads at work. */
const AHEAD = 16;

type ToReader = Uint8Array<ArrayBuffer> | { readonly end: string | null };
type ToSender = "used" | "done";

/**
 * Sends a stream to whoever holds the other port, until it ends, fails or is no longer wanted.
 *
 * @param stream of chunks that nobody else uses: their buffers are gone afterwards
 * @param stop for a reader that cannot say so any more, because its thread was ended
 */
export async function sendWeights(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  port: MessagePort,
  stop?: AbortSignal,
): Promise<void> {
  let waiting = 0;
  let done = false;
  let wake = Promise.withResolvers<void>();
  const sleep = async () => {
    wake = Promise.withResolvers();
    await wake.promise;
  };
  port.onmessage = ({ data }: MessageEvent<ToSender>) => {
    if (data === "done") done = true;
    waiting--;
    wake.resolve();
  };
  stop?.addEventListener("abort", () => {
    done = true;
    wake.resolve();
  });
  const reader = stream.getReader();
  try {
    while (!done) {
      const { done: ended, value } = await reader.read();
      if (ended) break;
      port.postMessage(value, [value.buffer]);
      waiting++;
      while (waiting >= AHEAD && !done) await sleep();
    }
    port.postMessage({ end: null } satisfies ToReader);
  } catch (error) {
    const reason = messageOf(error);
    port.postMessage({ end: reason } satisfies ToReader);
  } finally {
    await reader.cancel().catch(() => {});
    // A port whose partner was closed cannot be given to another thread any more.
    while (!done) await sleep();
    port.close();
  }
}

/**
 * The stream's chunks; each is gone when the next one is asked for.
 *
 * @throws {Error} with the stream's own reason, when it fails.
 */
export async function* receiveWeights(port: MessagePort): AsyncGenerator<Uint8Array> {
  const arrived: ToReader[] = [];
  let wake = Promise.withResolvers<void>();
  port.onmessage = ({ data }: MessageEvent<ToReader>) => {
    arrived.push(data);
    wake.resolve();
  };
  try {
    while (true) {
      const next = arrived.shift();
      if (next === undefined) {
        wake = Promise.withResolvers();
        await wake.promise;
      } else if (next instanceof Uint8Array) {
        yield next;
        next.buffer.transfer(0);
        port.postMessage("used" satisfies ToSender);
      } else if (next.end === null) {
        return;
      } else {
        throw new Error(next.end);
      }
    }
  } finally {
    port.postMessage("done" satisfies ToSender);
    port.close();
  }
}
