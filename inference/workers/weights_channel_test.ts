import { assert, assertEquals, assertRejects } from "@std/assert";
import { receiveWeights, sendWeights } from "./weights_channel.ts";

function streamOf(chunks: number, fail?: string) {
  const sent: Uint8Array[] = [];
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (sent.length < chunks) {
        const chunk = new Uint8Array(1000).fill(sent.length);
        sent.push(chunk);
        return controller.enqueue(chunk);
      }
      if (fail) controller.error(new Error(fail));
      else controller.close();
    },
    cancel: () => void (cancelled = true),
  });
  return { stream, sent, isCancelled: () => cancelled };
}

Deno.test("receiveWeights() gives what sendWeights() sends, and leaves nothing of it behind", async () => {
  const { stream, sent } = streamOf(100);
  const { port1, port2 } = new MessageChannel();
  const done = sendWeights(stream, port1);
  const first: number[] = [];
  let last: Uint8Array | undefined;
  for await (const chunk of receiveWeights(port2)) {
    assertEquals(last?.length ?? 0, 0);
    assertEquals(chunk.length, 1000);
    first.push(chunk[0]!);
    last = chunk;
  }
  await done;
  assertEquals(first, Array.from({ length: 100 }, (_, i) => i));
  assert(sent.every(({ length }) => length === 0));
});

Deno.test("receiveWeights() fails with the stream's reason", async () => {
  const { port1, port2 } = new MessageChannel();
  const done = sendWeights(streamOf(3, "the hash is wrong").stream, port1);
  await assertRejects(
    () => Array.fromAsync(receiveWeights(port2), ({ length }) => length),
    Error,
    "the hash is wrong",
  );
  await done;
});

Deno.test("a reader who stops early cancels the stream", async () => {
  const { stream, sent, isCancelled } = streamOf(1_000_000);
  const { port1, port2 } = new MessageChannel();
  const done = sendWeights(stream, port1);
  for await (const chunk of receiveWeights(port2)) {
    if (chunk[0]! > 3) break;
  }
  await done;
  assert(isCancelled());
  assert(sent.length < 100, `${sent.length} chunks were read ahead`);
});
