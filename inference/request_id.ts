import { trace } from "@opentelemetry/api";

/** What makes no second line, no second header and no second meaning anywhere it is written. */
const REQUEST_ID = /^[A-Za-z0-9][\w.:-]{7,127}$/;

/** W3C Trace Context, section 3.2: version, trace, parent, flags; ids of zeros alone are no ids. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}/;

/** The request's name: the client's or its proxy's (X-Request-Id) where it is a plain one, else a new UUID. */
export function requestIdOf(given: string | undefined): string {
  return given !== undefined && REQUEST_ID.test(given) ? given : crypto.randomUUID();
}

/** The trace that the request belongs to: that of Deno's own span where tracing is on, else the client's. */
export function traceIdOf(traceparent: string | undefined): string | undefined {
  return trace.getActiveSpan()?.spanContext().traceId ?? TRACEPARENT.exec(traceparent ?? "")?.[1];
}

/** What `instance` of a problem names the request by (RFC 9457, section 3.1.5: a URI reference). */
export function instanceOf(requestId: string): string {
  return UUID.test(requestId)
    ? `urn:uuid:${requestId}`
    : `/requests/${encodeURIComponent(requestId)}`;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
