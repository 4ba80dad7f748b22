/**
 * Bytes that no decent client sends, from a seed and a number: the same two make the same input, so a
 * finding can be repeated.
 */
import { Random } from "../../training/random.ts";
import { chunked, json, multipart } from "./bodies.ts";
import { headers, lengths, requestLine } from "./heads.ts";
import { joined, pick, post } from "./parts.ts";

/** One connection's worth: what is written, and how it ends. */
export interface Input {
  readonly kind: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /**
   * "wait" reads answers before it ends its side, "finish" ends it at once (a service may take that
   * for a client that has gone), "abort" closes both sides.
   */
  readonly end: "wait" | "finish" | "abort";
}

function query(random: Random, image: Uint8Array): Uint8Array<ArrayBuffer> {
  const value = () =>
    pick(random, [
      "1",
      "0",
      "-1",
      "1e9",
      "%00",
      "%F0%9F%8C%88",
      "a".repeat(random.below(5000)),
      "",
      "10",
      "true",
    ]);
  const names = [
    "top",
    "model",
    "version",
    "views",
    "threshold",
    "explain",
    "x",
    "__proto__",
    "top",
  ];
  const pairs = Array.from({ length: random.below(6) }, () => `${pick(random, names)}=${value()}`);
  const path = pick(random, [
    "/v1/classify",
    "/v1/classify",
    `/hf/${value()}`,
    `/v2/models/${value()}/infer`,
    `/v2/models/colours/versions/${value()}/infer`,
    `/problems/${value()}`,
  ]);
  return post(`${path}?${pairs.join("&")}`, [], image);
}

function pipelined(random: Random, image: Uint8Array): Uint8Array<ArrayBuffer> {
  return joined(...Array.from({ length: 1 + random.below(20) }, () =>
    pick(random, [
      () => "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
      () => post("/v1/classify", [], image),
      () => query(random, image),
      () => chunked(random, image),
    ])()));
}

function damaged(random: Random, image: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = post("/v1/classify", [], image);
  for (let left = 1 + random.below(8); left > 0; left--) {
    bytes[random.below(Math.min(bytes.length, 80))]! ^= 1 << random.below(8);
  }
  return bytes;
}

const KINDS = {
  requestLine,
  headers,
  lengths,
  chunked,
  multipart,
  json,
  query,
  pipelined,
  damaged,
};

/** Input `number` of the seed. */
export function makeInput(seed: number, number: number, image: Uint8Array): Input {
  const random = new Random(seed, number);
  const names = Object.keys(KINDS) as (keyof typeof KINDS)[];
  const kind = names[number % names.length]!;
  const bytes = KINDS[kind](random, image);
  const isCut = random.chance(0.1);
  return {
    kind: isCut ? `${kind}, cut off` : kind,
    bytes: isCut ? bytes.slice(0, random.below(bytes.length)) : bytes,
    end: random.chance(0.8) ? "wait" : random.chance(0.5) ? "finish" : "abort",
  };
}
