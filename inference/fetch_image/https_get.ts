import { type IncomingMessage, request } from "node:http";
import { Duplex } from "node:stream";
import type { ReadableStream, WritableStream } from "node:stream/web";
import config from "../deno.json" with { type: "json" };

/** One answer: its status, where it redirects to, and its body where it is a good one. */
export interface HttpsAnswer {
  readonly status: number;
  readonly location: string | undefined;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** The body is larger than the limit. */
export class TooLargeError extends Error {
  override readonly name = "TooLargeError";
}

/**
 * One GET over a connection that is open and is closed afterwards. `fetch` would look the name up by
 * itself; Node's client takes a connection that was already made.
 *
 * @throws {TooLargeError} when the body has more than `maxBytes`.
 * @throws what the connection or the signal ended with.
 */
export async function httpsGet(
  url: URL,
  connection: Deno.TlsConn,
  { maxBytes, signal }: { readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<HttpsAnswer> {
  const socket = Duplex.fromWeb({
    readable: connection.readable as ReadableStream,
    writable: connection.writable as WritableStream,
  });
  try {
    const answer = await head(url, socket, signal);
    const { statusCode: status = 0, headers } = answer;
    if (status !== 200) return { status, location: headers.location, body: new Uint8Array() };
    if (Number(headers["content-length"]) > maxBytes) throw new TooLargeError();
    return { status, location: undefined, body: await readBody(answer, maxBytes) };
  } finally {
    // What is still on its way is not waited for.
    socket.on("error", () => {});
    socket.destroy();
  }
}

function head(url: URL, socket: Duplex, signal: AbortSignal): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const sent = request({
    createConnection: () => socket,
    method: "GET",
    path: url.pathname + url.search,
    setHost: false,
    headers: {
      Host: url.host,
      Accept: "image/*",
      "Accept-Encoding": "identity",
      Connection: "close",
      "User-Agent": `topfive/${config.version}`,
    },
    signal,
  });
  sent.on("response", resolve);
  sent.on("error", (error) => reject(signal.aborted ? signal.reason : error));
  sent.end();
  return promise;
}

async function readBody(
  answer: IncomingMessage,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of answer) {
    size += chunk.length;
    if (size > maxBytes) throw new TooLargeError();
    chunks.push(chunk);
  }
  if (!answer.complete) throw new Error("the answer ended early");
  return await new Blob(chunks).bytes();
}
