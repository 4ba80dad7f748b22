/** What a process takes, by /proc of Linux. */

/** Resident bytes of a process now, and the most since `forgetPeak`. */
export async function memoryOf(
  pid: number | "self",
): Promise<{ resident: number; peak: number }> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const bytes = (field: string) =>
    1024 * Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1]);
  return { resident: bytes("VmRSS"), peak: bytes("VmHWM") };
}

/** Kernel clock ticks a second, as /proc counts (proc_pid_stat(5)); 100 on every Linux that Deno runs on. */
const TICKS = 100;

/** Processor time of all threads of a process since it started. */
export function cpuSeconds(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  // The second field is the program's name in brackets and may hold spaces; utime and stime are 14, 15.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Sets VmHWM to what is resident now (Linux, proc(5), clear_refs). */
export async function forgetPeak(pid: number): Promise<void> {
  await Deno.writeTextFile(`/proc/${pid}/clear_refs`, "5");
}
