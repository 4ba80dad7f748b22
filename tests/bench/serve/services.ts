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

/** Resident bytes of a process now, and the most since `forgetPeak`. */
export async function memoryOf(pid: number): Promise<{ resident: number; peak: number }> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const bytes = (field: string) =>
    1024 * Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1]);
  return { resident: bytes("VmRSS"), peak: bytes("VmHWM") };
}

/** Kernel clock ticks a second, as /proc counts (proc_pid_stat(5)); 100 on every Linux that Deno runs on. */
const TICKS = 100;

/** Processor time of all threads of a process since it started. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  // The second field is the program's name in brackets and may hold spaces; utime and stime are 14, 15.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Sets VmHWM to what is resident now (Linux, proc(5), clear_refs). */
export async function forgetPeak(pid: number): Promise<void> {
  await Deno.writeTextFile(`/proc/${pid}/clear_refs`, "5");
}
