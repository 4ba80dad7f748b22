import ipaddr from "ipaddr.js";
import { refused } from "./allowed_hosts.ts";

/** Opens a TCP connection to a host by its name; the runtime's own, unless a test gives another. */
export type Connect = (
  options: { hostname: string; port: number; signal: AbortSignal },
) => Promise<Deno.TcpConn>;

/** Where a connection leads, and how its certificate is checked. */
export interface Destination {
  readonly hostname: string;
  readonly port: number;
  /** Certificates beside those that the runtime trusts (DENO_CERT, DENO_TLS_CA_STORE), as PEM. */
  readonly caCerts: readonly string[];
}

/**
 * A TLS connection to a host at a public address. The address that is checked is that of the
 * connection itself, before a byte is sent: a name is looked up once, so that it cannot lead elsewhere
 * the second time (DNS rebinding). The name stays what the certificate must be for, and what Deno's
 * permission to connect is asked for.
 *
 * @throws {ProblemError} `image-url-refused` when the address is private, loopback, link-local (where
 * clouds keep their metadata), shared, multicast, or an IPv6 form of one of these.
 */
export async function connectPublicly(
  { hostname, port, caCerts }: Destination,
  signal: AbortSignal,
  connect: Connect = Deno.connect,
): Promise<Deno.TlsConn> {
  const connection = await connect({ hostname, port, signal });
  const { remoteAddr } = connection;
  if (!isPublic(remoteAddr.hostname)) {
    connection.close();
    throw refused(`${hostname} is at an address that is not public`);
  }
  const tls = await Deno.startTls(connection, {
    hostname,
    caCerts: [...caCerts],
    alpnProtocols: ["http/1.1"],
  });
  try {
    await untilAborted(tls.handshake(), signal);
    return tls;
  } catch (error) {
    tls.close();
    throw error;
  }
}

/** Whether anybody on the internet may have this address (IANA's special-purpose registries). */
export function isPublic(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === "unicast";
}

/** The result of `work`, or the reason why nobody waits for it any more. */
async function untilAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
