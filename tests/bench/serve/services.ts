/** The services that bench:serve compares, each a process that answers POST /v1/classify. */
import { fromFileUrl } from "@std/path";
import { ServiceProcess } from "../../../inference/trial/service_process.ts";
import { Peer } from "../peer.ts";
import type { BenchModel } from "./models.ts";

export interface Service extends AsyncDisposable {
  /** Name and versions. */
  readonly name: string;
  readonly port: number;
  readonly pid: number;
}

const START_MS = 60_000;

/** More may wait, and longer, than the bench asks for: a refused image would count as fast. */
const PATIENT = ["--queue", "128", "--deadline", "60"];

/** `topfive serve` as it is by default, but that nothing is cached and no image refused. */
export async function topfiveService({ store, name }: BenchModel): Promise<Service> {
  const args = ["--store", store, "--model", name, ...PATIENT, "--json"];
  const service = await ServiceProcess.start(args);
  const { port } = new URL(await service.ready(START_MS));
  return {
    name: `topfive, Deno ${Deno.version.deno}`,
    port: Number(port),
    pid: service.pid,
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  };
}

/** @throws {NotHere} where Python or a package is missing. */
export async function fastApiService(
  { weights, manifest }: BenchModel,
  python: string,
): Promise<Service> {
  const port = freePort();
  const peer = await Peer.start({
    program: python,
    args: [
      fromFileUrl(import.meta.resolve("./fastapi_service.py")),
      ...[weights, manifest, String(port), String(navigator.hardwareConcurrency)],
    ],
  });
  return { name: peer.greeting, port, pid: peer.pid, [Symbol.asyncDispose]: () => peer.close() };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
