/** Requests whose request line, headers or lengths are wrong. */
import type { Random } from "../../training/random.ts";
import { joined, noise, PATHS, pick, post } from "./parts.ts";

export function requestLine(random: Random): Uint8Array<ArrayBuffer> {
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

export function headers(random: Random, image: Uint8Array): Uint8Array<ArrayBuffer> {
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

export function lengths(random: Random, image: Uint8Array): Uint8Array<ArrayBuffer> {
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
