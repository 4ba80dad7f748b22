import { assertEquals, assertRejects } from "@std/assert";
import { ProblemError, type ProblemName } from "./problem.ts";
import { readBody } from "./request_body.ts";

function post(body: BodyInit | null, headers: HeadersInit = {}): Request {
  return new Request("http://localhost/", { method: "POST", body, headers });
}

async function refused(request: Request, maxBytes: number, problem: ProblemName): Promise<void> {
  const error = await assertRejects(() => readBody(request, maxBytes), ProblemError);
  assertEquals(error.problem, problem);
}

/** A body of these chunks; `events` gets each chunk's first byte, "end" or "cancel". */
function streamOf(chunks: number[][], events: unknown[] = []): ReadableStream {
  const left = chunks.map((chunk) => Uint8Array.from(chunk));
  return new ReadableStream({
    pull: (controller) => {
      const chunk = left.shift();
      events.push(chunk === undefined ? "end" : chunk[0]);
      if (chunk === undefined) controller.close();
      else controller.enqueue(chunk);
    },
    cancel: () => void events.push("cancel"),
  }, { highWaterMark: 0 });
}

Deno.test("readBody() joins the chunks in their order, up to the limit itself", async () => {
  const bytes = await readBody(post(streamOf([[1, 2], [], [3], [4, 5]])), 5);
  assertEquals(bytes, Uint8Array.of(1, 2, 3, 4, 5));
});

Deno.test("readBody() refuses by Content-Length without reading anything", async () => {
  let pulled = 0;
  const body = new ReadableStream({ pull: () => void pulled++ }, { highWaterMark: 0 });
  await refused(post(body, { "Content-Length": "6" }), 5, "body-too-large");
  assertEquals(pulled, 0);
});

Deno.test("readBody() reads no more of a longer body than shows that it is longer", async () => {
  const events: unknown[] = [];
  await refused(post(streamOf([[1, 2, 3], [4, 5, 6], [7]], events)), 5, "body-too-large");
  assertEquals(events, [1, 4]);
});

Deno.test("readBody() refuses a body that says to be short and is not", async () => {
  const lying = post(streamOf([[1, 2, 3], [4, 5, 6]]), { "Content-Length": "2" });
  await refused(lying, 5, "body-too-large");
});

Deno.test("readBody() refuses no body and a body of nothing", async () => {
  await refused(post(null), 5, "empty-body");
  await refused(post(streamOf([[], []])), 5, "empty-body");
});

Deno.test("readBody() gives the client the blame for a body that breaks off", async () => {
  const broken = new ReadableStream({
    start: (controller) => controller.error(new Error("connection reset")),
  });
  await refused(post(broken), 5, "unreadable-body");
});
