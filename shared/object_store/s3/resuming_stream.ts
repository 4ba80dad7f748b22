import { ObjectChangedError } from "../object_store.ts";
import type { S3Client } from "./client.ts";

const MAX_RESUMPTIONS = 4;

/**
 * The body of an answer to a GET. Where the connection breaks, or brings nothing for the client's
 * time-out, the rest is asked for by
 * its range and only as long as the object is the same, so no mixture of two objects is ever read.
 *
 * @param start place of the answer's first byte in the object
 */
export function resumingStream(
  client: S3Client,
  key: string,
  response: Response,
  byteLength: number,
  start = 0,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const etag = response.headers.get("etag") ?? "";
  let reader = response.body?.getReader();
  let at = 0;
  let resumptions = 0;

  const resume = async (cause: unknown) => {
    await reader?.cancel().catch(() => {});
    if (++resumptions > MAX_RESUMPTIONS) throw cause;
    const range = `bytes=${start + at}-${start + byteLength - 1}`;
    const next = await client.send({
      method: "GET",
      key,
      headers: { range, "if-match": etag },
      expect: [404, 412],
    });
    if (next.response.status === 206) {
      reader = next.response.body!.getReader();
      return;
    }
    await next.response.body?.cancel();
    throw new ObjectChangedError(
      `Cannot read ${key}: it was changed while it was read (try again)`,
    );
  };

  return new ReadableStream({
    async pull(controller) {
      while (at < byteLength) {
        try {
          const { done, value } = await beforeStall(reader!.read(), client.timeoutMs);
          if (done) throw new Error(`the connection ended ${byteLength - at} bytes early`);
          at += value.length;
          controller.enqueue(value);
          break;
        } catch (error) {
          await resume(error);
        }
      }
      if (at < byteLength) return;
      await reader?.cancel();
      controller.close();
    },
    async cancel() {
      await reader?.cancel();
    },
  }, { highWaterMark: 0 });
}

async function beforeStall<Result>(
  operation: Promise<Result>,
  milliseconds: number,
): Promise<Result> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stalled = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`nothing arrived for ${milliseconds / 1000} s`)),
      milliseconds,
    );
  });
  try {
    return await Promise.race([operation, stalled]);
  } finally {
    clearTimeout(timer);
  }
}
