import { assert, assertEquals, assertRejects } from "@std/assert";
import { decodeOnnx } from "../../shared/onnx/read.ts";
import { fixture } from "../fixtures/colours.ts";
import { readOnnxStream, type TensorSink } from "./onnx_stream.ts";

const file = await fixture("colours.onnx");

async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

Deno.test("readOnnxStream() reads what decodeOnnx() reads, in pieces of any length", async () => {
  const whole = decodeOnnx(file);
  for (const size of [1, 7, 64, 1000, file.length]) {
    const model = await readOnnxStream(cut(file, size), () => undefined);
    assertEquals(model.nodes, whole.nodes);
    assertEquals(model.inputs, whole.inputs);
    assertEquals(model.outputs, whole.outputs);
    assertEquals(model.opset, whole.opset);
    assertEquals([...model.tensors.values()], whole.initializers);
  }
});

Deno.test("readOnnxStream() gives a tensor's numbers to the sink that asked for them", async () => {
  const whole = decodeOnnx(file);
  const parts = new Map<string, number[]>();
  const model = await readOnnxStream(cut(file, 13), ({ name }, { nodes }) => {
    assert(nodes.length > 0, "nodes stand in front of the tensors");
    const bytes: number[] = [];
    parts.set(name, bytes);
    return ((part) => bytes.push(...part)) satisfies TensorSink;
  });
  assertEquals(model.tensors.size, 0);
  for (const { name, data } of whole.initializers) {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    assertEquals(parts.get(name), [...bytes], name);
  }
});

Deno.test("readOnnxStream() refuses what is cut short or no ONNX file", async () => {
  const text = new TextEncoder();
  const files = [
    ...[1, 10, 100, file.length - 40, file.length - 1].map((length) => file.subarray(0, length)),
    text.encode("<html>not here</html>"),
    new Uint8Array(1000),
    new Uint8Array(1000).fill(255),
  ];
  for (const bytes of files) {
    await assertRejects(
      () => readOnnxStream(cut(bytes, 64), () => undefined),
      SyntaxError,
      "Cannot read ONNX file: ",
    );
  }
});

Deno.test("readOnnxStream() cancels a stream that it does not read to its end", async () => {
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(file.slice(0, file.length - 40)),
    cancel: () => void (cancelled = true),
  });
  await assertRejects(() =>
    readOnnxStream(stream, () => {
      throw new SyntaxError("enough");
    })
  );
  assert(cancelled);
});
