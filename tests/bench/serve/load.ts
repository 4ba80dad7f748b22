/**
 * The load of bench:serve, in a process of its own: raw HTTP/1.1 on connections that are kept, one
 * request at a time on each. It parses no more of an answer than its status and its length, so that
 * it takes little of the processor it shares with the service.
 */
import { answerRequests } from "../answer_requests.ts";

export interface LoadRequest {
  readonly port: number;
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly connections: number;
  /** Ends after so many seconds or so many requests, whatever comes first. */
  readonly seconds: number;
  readonly requests?: number;
  /** Milliseconds from an answer to the next request of the connection. */
  readonly pauseMs?: number;
  /** Files whose bytes are sent, each request with another comment in the JPEG: no two are alike. */
  readonly images?: readonly string[];
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** Milliseconds from the first byte sent to the last byte received. */
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
  /** Answers by status, where it was not 200. */
  readonly failures: Readonly<Record<string, number>>;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A JPEG with a comment (ITU-T T.81, B.2.4.5) behind its first marker. */
function numbered(jpeg: Uint8Array, number: number): Uint8Array<ArrayBuffer> {
  const text = encoder.encode(`request ${String(number).padStart(9, "0")}`);
  const length = text.length + 2;
  const result = new Uint8Array(jpeg.length + 2 + length);
  result.set(jpeg.subarray(0, 2));
  result.set([0xff, 0xfe, length >> 8, length & 255], 2);
  result.set(text, 6);
  result.set(jpeg.subarray(2), 6 + text.length);
  return result;
}

class Connection {
  readonly #connection: Deno.TcpConn;
  readonly #buffer = new Uint8Array(65_536);
  #held = 0;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  static async open(port: number): Promise<Connection> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connection.setNoDelay(true);
    return new Connection(connection);
  }

  /** Sends the request and reads the whole answer; gives its status. */
  async ask(request: Uint8Array): Promise<number> {
    for (let at = 0; at < request.length;) {
      at += await this.#connection.write(request.subarray(at));
    }
    let end = -1;
    while (end < 0) {
      await this.#read();
      end = decoder.decode(this.#buffer.subarray(0, this.#held)).indexOf("\r\n\r\n");
    }
    const head = decoder.decode(this.#buffer.subarray(0, end));
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
    const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? NaN);
    if (!(status > 0 && length >= 0)) throw new Error(`Cannot read the answer: ${head}`);
    let left = end + 4 + length - this.#held;
    while (left > 0) {
      this.#held = 0;
      await this.#read();
      left -= this.#held;
    }
    this.#held = 0;
    return status;
  }

  async #read(): Promise<void> {
    const count = await this.#connection.read(this.#buffer.subarray(this.#held));
    if (count === null) throw new Error("Cannot read the answer: the connection was closed");
    this.#held += count;
  }

  close(): void {
    this.#connection.close();
  }
}

export async function load(request: LoadRequest): Promise<LoadResult> {
  const { port, method, path, connections, seconds, requests = Infinity, pauseMs = 0 } = request;
  const images = await Promise.all((request.images ?? []).map((file) => Deno.readFile(file)));
  const latencies: number[] = [];
  const failures: Record<string, number> = {};
  const started = performance.now();
  let sent = 0;
  const run = async () => {
    const connection = await Connection.open(port);
    while (performance.now() - started < 1000 * seconds && sent < requests) {
      const number = sent++;
      const image = images[number % images.length];
      const body = image ? numbered(image, number) : new Uint8Array();
      const head = encoder.encode(
        `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: application/json\r\n` +
          `Content-Length: ${body.length}\r\n\r\n`,
      );
      const whole = new Uint8Array(head.length + body.length);
      whole.set(head);
      whole.set(body, head.length);
      const from = performance.now();
      const status = await connection.ask(whole);
      latencies.push(performance.now() - from);
      if (status !== 200) failures[status] = (failures[status] ?? 0) + 1;
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: connections }, run));
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? NaN;
  return {
    requests: latencies.length,
    seconds: (performance.now() - started) / 1000,
    p50: at(0.5),
    p99: at(0.99),
    most: at(1),
    failures,
  };
}

if (import.meta.main) {
  await answerRequests("load", load);
}
