/**
 * Bytes that no decent client sends, from a seed and a number: the same two make the same input, so a
 * finding can be repeated.
 */
import { Random } from "../../training/random.ts";

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

const encoder = new TextEncoder();
const PATHS = [
  "/v1/classify",
  "/hf/colours",
  "/v2/models/colours/infer",
  "/v2/repository/index",
  "/",
];

/** Builds bytes out of texts and bytes. */
function joined(...parts: (string | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  const encoded = parts.map((part) => typeof part === "string" ? encoder.encode(part) : part);
  const out = new Uint8Array(encoded.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of encoded) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function noise(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.below(256));
}

function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[random.below(items.length)]!;
}

/** A well-formed request but for what is handed in. */
function post(
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

function requestLine(random: Random): Uint8Array<ArrayBuffer> {
  const path = pick(random, PATHS);
  const line = pick(random, [
    () => noise(random, 1 + random.below(300)),
    () => `GET ${path}`,
    () => `GET ${path} HTTP/9.9`,
    () => `get ${path} http/1.1`,
    () => `GET  ${path}  HTTP/1.1`,
    () => ` GET ${path} HTTP/1.1`,
    () => `GET\t${path}\tHTTP/1.1`,
    () => `${"A".repeat(1 + random.below(70_000))} ${path} HTTP/1.1`,
    () => `GET /${"a".repeat(random.below(200_000))} HTTP/1.1`,
    () => `GET /?${"a=b&".repeat(random.below(20_000))} HTTP/1.1`,
    () => `GET ${path}%zz%00%ff?top=%E0%A4%A HTTP/1.1`,
    () => `GET /../../../../etc/passwd HTTP/1.1`,
    () => `GET /page/..%2f..%2f..%2fetc%2fpasswd HTTP/1.1`,
    () => `GET http://169.254.169.254/latest HTTP/1.1`,
    () => `CONNECT 127.0.0.1:22 HTTP/1.1`,
    () => `OPTIONS * HTTP/1.1`,
    () => `${pick(random, ["PUT", "DELETE", "PATCH", "TRACE", "HEAD", "QUERY"])} ${path} HTTP/1.1`,
    () => `GET //${path} HTTP/1.1`,
    () => `GET /ünï/\0code HTTP/1.1`,
    () => "PRI * HTTP/2.0\r\n\r\nSM",
    () => "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
  ])();
  return joined(line, "\r\nHost: x\r\n\r\n");
}

function headers(random: Random, image: Uint8Array): Uint8Array<ArrayBuffer> {
  const path = pick(random, PATHS);
  const header = pick(random, [
    () => "no colon at all",
    () => `X: ${"v".repeat(random.below(1_000_000))}`,
    () => Array.from({ length: random.below(5000) }, (_, i) => `X-${i}: v`).join("\r\n") || "X: v",
    () => `${"N".repeat(1 + random.below(70_000))}: v`,
    () => `X: \0\x01\x7f`,
    () => `X: a\r\n folded\r\n\tand again`,
    () => "Content-Length: 5\r\nContent-Length: 6",
    () => "Transfer-Encoding: chunked",
    () => "Transfer-Encoding: gzip, chunked",
    () => "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    () => `Content-Type: ${pick(random, ["multipart/form-data", "application/json", "\xff\xfe"])}`,
    () => `Content-Type: multipart/form-data; boundary=${"b".repeat(random.below(100_000))}`,
    () => `Accept: ${"text/html;q=0.1,".repeat(random.below(4000))}*/*`,
    () => `Accept: ${pick(random, ["", ";", "a/b;q=x", "*/*;q=9e99", "image/png", "\xe9"])}`,
    () => `Accept-Language: ${"x".repeat(random.below(9000))}`,
    () => `If-None-Match: ${pick(random, ["*", '"', '"a", "b"', "W/"])}`,
    () => `Inference-Header-Content-Length: ${pick(random, ["-1", "1e9", "9999999999", "x", "0"])}`,
    () =>
      `Authorization: ${
        pick(random, ["Bearer", "Bearer  ", "Basic x", "Bearer " + "k".repeat(9999)])
      }`,
    () => "Expect: 100-continue",
    () => "Expect: 417-please",
    () => "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x",
    () => "Connection: close, keep-alive, x",
    () => `X-Forwarded-For: ${"1.2.3.4, ".repeat(random.below(5000))}`,
    () => "Content-Encoding: gzip",
    () =>
      `traceparent: ${
        pick(random, [
          "00-0-0-0",
          "x".repeat(5000),
          "00-" + "f".repeat(32) + "-" + "f".repeat(16) + "-01",
        ])
      }`,
  ])();
  return post(path, [header], image);
}

function lengths(random: Random, image: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = pick(random, [
    () => String(image.length + 1 + random.below(100_000)),
    () => String(random.below(image.length)),
    () => "-1",
    () => "0",
    () => "99999999999999999999999",
    () => "0x20",
    () => "1e3",
    () => `${image.length}, ${image.length}`,
    () => "",
  ])();
  return post(pick(random, PATHS), [], image, length);
}

function chunked(random: Random, image: Uint8Array): Uint8Array<ArrayBuffer> {
  const size = image.length.toString(16);
  const body = pick(random, [
    () => joined(`${size}\r\n`, image, "\r\n0\r\n\r\n"),
    () => joined(`${size};ext="${"e".repeat(random.below(50_000))}"\r\n`, image, "\r\n0\r\n\r\n"),
    () =>
      joined(`${size}\r\n`, image, `\r\n0\r\nTrailer: ${"t".repeat(random.below(50_000))}\r\n\r\n`),
    () => joined("ffffffffffffffff\r\n", image),
    () => joined("fffffffffffffffffffff\r\n", image),
    () => joined("-5\r\n", image),
    () => joined("zz\r\n", image),
    () => joined(`${size}\n`, image, "\n0\n\n"),
    () => joined(`${size}\r\n`, image),
    () => joined(`${size}\r\n`, image, "0\r\n\r\n"),
    () =>
      joined(
        ...Array.from(image.subarray(0, 200), (byte) =>
          joined("1\r\n", new Uint8Array([byte]), "\r\n")),
        "0\r\n\r\n",
      ),
    () => noise(random, random.below(2000)),
    () => joined("0\r\n\r\n"),
    () => joined(...Array(random.below(2000)).fill("0000000000000001\r\na\r\n"), "0\r\n\r\n"),
  ])();
  const head = `POST ${
    pick(random, PATHS)
  } HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`;
  return joined(head, body);
}

function multipart(random: Random, image: Uint8Array): Uint8Array<ArrayBuffer> {
  const part = (name: string, body: string | Uint8Array, more = "") =>
    joined(`--b\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n`, body, "\r\n");
  const file = `; filename="a.png"\r\nContent-Type: image/png`;
  const body = pick(random, [
    () =>
      joined(
        ...Array.from({ length: random.below(40) }, () => part("f", image, file)),
        "--b--\r\n",
      ),
    () =>
      joined(
        ...Array.from({ length: random.below(4000) }, (_, i) => part(`n${i}`, "v")),
        "--b--\r\n",
      ),
    () =>
      joined(...Array.from({ length: random.below(3000) }, () => part("f", "", file)), "--b--\r\n"),
    () => joined(part("f", image, file)),
    () => joined(part("f", image, file).subarray(0, random.below(200))),
    () => joined("--b\r\n\r\n", image, "\r\n--b--\r\n"),
    () => joined(part("f", image, `; filename="${"n".repeat(random.below(100_000))}"`), "--b--"),
    () => joined(part("f", image, `; filename="../../../etc/passwd\0"`), "--b--"),
    () =>
      joined(
        part("f", part("g", image, file), "\r\nContent-Type: multipart/mixed; boundary=b"),
        "--b--",
      ),
    () => joined("--b\r\n".repeat(random.below(5000)), "--b--"),
    () =>
      joined(
        part("top", pick(random, ["-1", "NaN", "9".repeat(5000), "\0"])),
        part("f", image, file),
        "--b--",
      ),
    () => joined("--b--"),
    () => joined("--b", noise(random, random.below(3000))),
  ])();
  const boundary = pick(random, ["b", "b", "b", "b", "", "c", '"b', "b".repeat(3000)]);
  return post("/v1/classify", [`Content-Type: multipart/form-data; boundary=${boundary}`], body);
}

function json(random: Random, image: Uint8Array): Uint8Array<ArrayBuffer> {
  const deep = () => 1 + random.below(200_000);
  const text = image.toBase64();
  const tensor = { name: "image", datatype: "FP32", shape: [1, 3, 16, 16] };
  const infer = (input: object) => JSON.stringify({ inputs: [{ ...tensor, ...input }] });
  const nested = (depth: number) => "[".repeat(depth) + "1" + "]".repeat(depth);
  const body = pick(random, [
    () => "[".repeat(deep()),
    () => nested(deep()),
    () => `{"image":${nested(deep())}}`,
    () => '{"a":'.repeat(deep()) + "1" + "}".repeat(deep()),
    () => `{"image":"${"A".repeat(random.below(500_000))}"}`,
    () => `{"images":[${`"${text}",`.repeat(random.below(100))}"${text}"]}`,
    () => `{"image":"data:${";".repeat(random.below(100_000))};base64,${text}"}`,
    () =>
      `{"image":"${text}","top":${pick(random, ["1e999", "-0", '"\\u0000"', "[]", "{}", "null"])}}`,
    () => `{"__proto__":{"image":"x"},"constructor":1,"image":"${text}"}`,
    () => `{"image":"\\ud800","model":"\\ud800"}`,
    () =>
      `{"url":"${
        pick(random, ["http://127.0.0.1:1/", "file:///etc/passwd", "//", "https://[::1]/"])
      }"}`,
    () => infer({ data: JSON.parse(nested(Math.min(deep(), 5000))) }),
    () => infer({ data: 1 }).replace('"data":1', `"data":${nested(deep())}`),
    () => infer({ shape: [pick(random, [1e15, -1, 0, 1.5, 64]), 3, 16, 16], data: [1] }),
    () => infer({ shape: Array(random.below(2000)).fill(1), data: [1] }),
    () =>
      infer({
        shape: [1, 3, 16, 16],
        data: Array(768).fill(pick(random, [1e308, null, "x", true])),
      }),
    () => infer({ datatype: "BYTES", shape: [1], data: [pick(random, [text, "!", "", 5, null])] }),
    () =>
      infer({
        datatype: "BYTES",
        shape: [random.below(70)],
        data: Array(random.below(70)).fill(text),
      }),
    () => infer({ parameters: { binary_data_size: pick(random, [-1, 1e12, 7, "x", 3072]) } }),
    () => JSON.stringify({ inputs: Array(random.below(3000)).fill(tensor) }),
    () =>
      JSON.stringify({
        inputs: text,
        parameters: { top_k: pick(random, [0, 1e9, -1, "5", null]) },
      }),
    () => `{"ready":${pick(random, ["true", "1", "{}", nested(deep())])}}`,
    () => "\ufeff{}",
    () => text.slice(0, random.below(text.length)),
  ])();
  return post(pick(random, PATHS), ["Content-Type: application/json"], body);
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
  const bytes = pick(random, [post, post])("/v1/classify", [], image);
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
