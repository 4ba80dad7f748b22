/** Requests whose bodies are wrong: chunks, forms and JSON. */
import type { Random } from "../../training/random.ts";
import { joined, noise, PATHS, pick, post } from "./parts.ts";

export function chunked(random: Random, image: Uint8Array): Uint8Array<ArrayBuffer> {
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

export function multipart(random: Random, image: Uint8Array): Uint8Array<ArrayBuffer> {
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

export function json(random: Random, image: Uint8Array): Uint8Array<ArrayBuffer> {
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
