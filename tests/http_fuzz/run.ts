/** Sends generated inputs to a real service and says what is wrong with how it took them. */
import { assertEquals } from "@std/assert";
import type { Input } from "./requests.ts";

/** Longest wait for the answers to an input that has ended, milliseconds. */
const PATIENCE_MS = 10_000;
/** After an answer another one may follow within this. */
const PAUSE_MS = 40;
/** Who sent half a request gets no answer; long enough for any other. */
const SILENCE_MS = 1000;
/** Connections that are open at once. */
const CONNECTIONS = 8;
/** A good request is asked after so many inputs. */
const BETWEEN_CHECKS = 50;

export interface FuzzReport {
  /** Answers by status; "closed" where the connection ended without one. */
  readonly statuses: Record<string, number>;
  /** What should not have happened: a status of 500 and above other than 503, or no end in time. */
  readonly faults: string[];
  readonly slowestMs: number;
}

/** `make(number)` gives the inputs 0 … `count` - 1; a few connections are open at once. */
export async function fuzz(
  url: string,
  count: number,
  make: (number: number) => Input,
  goodImage: Uint8Array<ArrayBuffer>,
): Promise<FuzzReport> {
  const port = Number(new URL(url).port);
  const statuses: Record<string, number> = {};
  const faults: string[] = [];
  let [next, slowestMs] = [0, 0];
  const run = async () => {
    while (next < count) {
      const number = next++;
      const input = make(number);
      const started = performance.now();
      const found = await send(port, input);
      slowestMs = Math.max(slowestMs, performance.now() - started);
      for (const status of found) {
        statuses[status] = (statuses[status] ?? 0) + 1;
        const bad = status === "hang" || Number(status) >= 500 && status !== "503";
        if (bad) faults.push(`input ${number}, ${input.kind}: ${status}`);
      }
      if (number % BETWEEN_CHECKS === 0) await requireGood(url, goodImage);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, run));
  await requireGood(url, goodImage);
  return { statuses, faults, slowestMs };
}

async function requireGood(url: string, body: Uint8Array<ArrayBuffer>): Promise<void> {
  const response = await fetch(`${url}v1/classify`, { method: "POST", body });
  const answer = await response.json();
  assertEquals(
    [response.status, answer.predictions?.[0].label],
    [200, "red"],
    JSON.stringify(answer),
  );
}

/** The statuses of all answers on one connection. */
async function send(port: number, { bytes, end }: Input): Promise<string[]> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const timer = Promise.withResolvers<"late">();
  const timeout = setTimeout(() => timer.resolve("late"), PATIENCE_MS);
  try {
    const written = writeAll(connection, bytes);
    if (end === "abort") {
      await Promise.race([written, timer.promise]);
      return ["aborted"];
    }
    const answers = new Answers(connection);
    if (end === "wait") await answers.quiet();
    await Promise.race([written, timer.promise]);
    await connection.closeWrite().catch(() => {});
    const text = await Promise.race([answers.all, timer.promise]);
    if (text === "late") return ["hang"];
    const found = [...text.matchAll(/^HTTP\/1\.[01] (\d{3}) /gm)].map((match) => match[1]!);
    return found.length > 0 ? found : ["closed"];
  } finally {
    clearTimeout(timeout);
    try {
      connection.close();
    } catch {
      // The other side was first.
    }
  }
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  try {
    for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
  } catch {
    // Refused before it was sent whole.
  }
}

/** What comes on a connection until the other side closes; a reset is an end too. */
class Answers {
  readonly all: Promise<string>;
  #text = "";
  #lastAt = 0;
  #ended = false;

  constructor(connection: Deno.Conn) {
    this.all = this.#read(connection);
  }

  async #read(connection: Deno.Conn): Promise<string> {
    const decoder = new TextDecoder("latin1");
    const buffer = new Uint8Array(65_536);
    try {
      for (let count; (count = await connection.read(buffer)) !== null;) {
        this.#text += decoder.decode(buffer.subarray(0, count), { stream: true });
        this.#lastAt = performance.now();
      }
    } catch {
      // Reset.
    }
    this.#ended = true;
    return this.#text;
  }

  /** Until the end, or some time after an answer without another, or some time without any. */
  async quiet(): Promise<void> {
    const started = performance.now();
    while (!this.#ended) {
      const now = performance.now();
      if (this.#lastAt > 0 && now - this.#lastAt > PAUSE_MS || now - started > SILENCE_MS) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
