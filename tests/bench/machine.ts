/** What the figures of a bench were measured on: the lines above its table. */
import { VERSION } from "../../training/version.ts";

/** Above this many runnable processes at the start, other work shares the processor. */
const QUIET_LOAD = 1;

export interface Machine {
  readonly date: string;
  readonly topfive: string;
  readonly deno: string;
  readonly processor: string;
  readonly processors: number;
  readonly memoryGb: number;
  readonly os: string;
  readonly adapter: string;
  /** Of the software driver, in bits; "default" where it chooses itself. */
  readonly vectorWidth: string;
  /** Runnable processes, mean of the last minute, as the bench began. */
  readonly load: number;
}

export async function describeMachine(adapter: string): Promise<Machine> {
  return {
    date: new Date().toISOString().slice(0, 16).replace("T", " ") + " UTC",
    topfive: VERSION,
    deno: Deno.version.deno,
    processor: await processorName(),
    processors: navigator.hardwareConcurrency,
    memoryGb: Math.round(Deno.systemMemoryInfo().total / 2 ** 30),
    os: `${Deno.build.os} ${Deno.osRelease()}`,
    adapter,
    vectorWidth: Deno.env.get("LP_NATIVE_VECTOR_WIDTH") ?? "default",
    load: Deno.loadavg()[0] ?? Number.NaN,
  };
}

export function formatMachine(machine: Machine): string[] {
  const { processor, processors, memoryGb, os, adapter, vectorWidth, load } = machine;
  const software = /software/.test(adapter) ? `, vectors of ${vectorWidth} bits` : "";
  return [
    `${machine.date}; topfive ${machine.topfive}, Deno ${machine.deno}, ${os}`,
    `processor  ${processor}, ${processors} threads, ${memoryGb} GiB`,
    `adapter    ${adapter}${software}`,
    `load       ${load.toFixed(2)} at the start` +
    (load > QUIET_LOAD ? ": the machine is busy, take the figures as a picture" : ""),
  ];
}

async function processorName(): Promise<string> {
  try {
    const text = await Deno.readTextFile("/proc/cpuinfo");
    return /^model name\s*:\s*(.*)$/m.exec(text)?.[1] ?? Deno.build.arch;
  } catch {
    return Deno.build.arch;
  }
}
