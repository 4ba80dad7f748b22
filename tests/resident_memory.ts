/**
 * Resident bytes of another process (Linux). By a shell: Deno itself reads /proc under no permission
 * but all of them.
 */
export async function residentBytes(pid: number): Promise<number> {
  const args = ["-c", `exec cat "/proc/$0/status"`, String(pid)];
  const { stdout } = await new Deno.Command("/bin/sh", { args }).output();
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(new TextDecoder().decode(stdout))?.[1];
  if (kilobytes === undefined) throw new Error(`Cannot read the memory of process ${pid}`);
  return 1024 * Number(kilobytes);
}
