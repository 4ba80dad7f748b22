/** What requests are put together from. */
import type { Random } from "../../training/random.ts";

const encoder = new TextEncoder();

export const PATHS = [
  "/v1/classify",
  "/hf/colours",
  "/v2/models/colours/infer",
  "/v2/repository/index",
  "/",
];

/** Builds bytes out of texts and bytes. */
export function joined(...parts: (string | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  const encoded = parts.map((part) => typeof part === "string" ? encoder.encode(part) : part);
  const out = new Uint8Array(encoded.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of encoded) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function noise(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.below(256));
}

export function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[random.below(items.length)]!;
}

/** A well-formed request but for what is handed in. */
export function post(
  path: string,
  headers: readonly string[],
  body: string | Uint8Array,
  length?: string,
) {
  const size = typeof body === "string" ? encoder.encode(body).length : body.length;
  const head = [
    `POST ${path} HTTP/1.1`,
    "Host: x",
    ...headers,
    `Content-Length: ${length ?? size}`,
  ];
  return joined(head.join("\r\n") + "\r\n\r\n", body);
}
