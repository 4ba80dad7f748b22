/** A TCP port of this machine that nothing listens on. */
export function openPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
