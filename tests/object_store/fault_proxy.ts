/** Stands between a client and an S3 server and does to requests what networks and servers do. */
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What happens to one request. */
export type Fault =
  /** Passed on. */
  | "none"
  /** Answered by the proxy with 503 and `Retry-After: 0`. */
  | "busy"
  /** The same with `Retry-After: 1`. */
  | "busy-for-a-second"
  /** Never answered. */
  | "silent"
  /** Passed on, the answer begins 300 ms late. */
  | "slow"
  /** The answer stops after half of its bytes, and the connection stays open. */
  | "stalls"
  /** Done by the server, its answer lost. */
  | "answer-lost"
  /** The answer ends after half of its bytes. */
  | "cut-short";

export interface FaultProxy extends AsyncDisposable {
  readonly endpoint: string;
  /** Method and path of every request so far, with what happened to it. */
  readonly log: { readonly request: string; readonly fault: Fault }[];
}

/** @param faults chooses by request ("PUT /bucket/key?query") and its number, from 0 */
export async function startFaultProxy(
  target: string,
  faults: (request: string, number: number) => Fault,
): Promise<FaultProxy> {
  const { hostname, port } = new URL(target);
  const log: FaultProxy["log"] = [];
  const server = createServer((incoming, outgoing) => {
    const name = `${incoming.method} ${incoming.url}`;
    const fault = faults(name, log.length);
    log.push({ request: name, fault });
    if (fault === "silent") return void incoming.resume();
    if (fault === "busy" || fault === "busy-for-a-second") {
      incoming.resume();
      const seconds = fault === "busy" ? "0" : "1";
      outgoing.writeHead(503, { "retry-after": seconds }).end("slow down");
      return;
    }
    const { method, url: path, headers } = incoming;
    // The signature covers the Host header, so that goes on unchanged.
    const onward = request({ hostname, port, method, path, headers }, (answer) => {
      setTimeout(() => pass(answer, outgoing, fault), fault === "slow" ? 300 : 0);
    });
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    log,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function pass(answer: IncomingMessage, outgoing: ServerResponse, fault: Fault): void {
  if (fault === "answer-lost") {
    answer.resume();
    answer.on("end", () => outgoing.destroy());
    return;
  }
  outgoing.writeHead(answer.statusCode!, answer.headers);
  if (fault === "none" || fault === "slow") return void answer.pipe(outgoing);
  const half = Number(answer.headers["content-length"]) / 2;
  let passed = 0;
  answer.on("data", (chunk: Uint8Array) => {
    const wanted = chunk.subarray(0, Math.max(0, half - passed));
    passed += chunk.length;
    const enough = passed >= half;
    outgoing.write(wanted, () => enough && fault === "cut-short" && outgoing.destroy());
  });
}
