import type { Finding } from "./finding.ts";

const GIB = 2 ** 30;
/** Full-size AlexNet trains in about 2 GiB: weights, gradients and momentum 244 MB each, activations. */
const NEEDED_MEMORY = 2 * GIB;

/** Deno, the operating system, cores and memory. */
export function inspectMachine(): Finding[] {
  const { total, available } = Deno.systemMemoryInfo();
  const little = available < NEEDED_MEMORY;
  return [
    {
      topic: "program",
      name: "Deno",
      status: "ok",
      value: `${Deno.version.deno} (${Deno.execPath()})`,
    },
    {
      topic: "machine",
      name: "system",
      status: "ok",
      value: `${Deno.build.os} ${Deno.osRelease()}, ${Deno.build.arch}`,
    },
    { topic: "machine", name: "cores", status: "ok", value: `${navigator.hardwareConcurrency}` },
    {
      topic: "machine",
      name: "memory",
      status: little ? "note" : "ok",
      value: `${(available / GIB).toFixed(1)} of ${(total / GIB).toFixed(1)} GiB free`,
      ...(little && { advice: "close other programs, or train with a smaller --batch-size" }),
    },
  ];
}
