import { assertEquals, assertRejects } from "@std/assert";
import { ProblemError, type ProblemName } from "./problem.ts";
import { BodyReader } from "./request_body.ts";

function post(body: BodyInit | null, headers: HeadersInit = {}): Request {
  return new Request("http://localhost/", { method: "POST", body, headers });
}

function readBody(request: Request, maxBytes: number) {
  return new BodyReader({ maxBytes, milliseconds: 10_000 }).read(request);
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

Deno.test("BodyReader read() joins the chunks in their order, up to the limit itself", async () => {
  const bytes = await readBody(post(streamOf([[1, 2], [], [3], [4, 5]])), 5);
  assertEquals(bytes, Uint8Array.of(1, 2, 3, 4, 5));
});

Deno.test("BodyReader read() refuses by Content-Length without reading anything", async () => {
  let pulled = 0;
  const body = new ReadableStream({ pull: () => void pulled++ }, { highWaterMark: 0 });
  await refused(post(body, { "Content-Length": "6" }), 5, "body-too-large");
  assertEquals(pulled, 0);
});

Deno.test("BodyReader read() reads no more of a longer body than shows that it is longer", async () => {
  const events: unknown[] = [];
  await refused(post(streamOf([[1, 2, 3], [4, 5, 6], [7]], events)), 5, "body-too-large");
  assertEquals(events, [1, 4]);
});

Deno.test("BodyReader read() refuses a body that says to be short and is not", async () => {
  const lying = post(streamOf([[1, 2, 3], [4, 5, 6]]), { "Content-Length": "2" });
  await refused(lying, 5, "body-too-large");
});

Deno.test("BodyReader read() refuses no body and a body of nothing", async () => {
  await refused(post(null), 5, "empty-body");
  await refused(post(streamOf([[], []])), 5, "empty-body");
});

Deno.test("BodyReader read() gives the client the blame for a body that breaks off", async () => {
  const broken = new ReadableStream({
    start: (controller) => controller.error(new Error("connection reset")),
  });
  await refused(post(broken), 5, "unreadable-body");
});

Deno.test("BodyReader read() waits no longer than it may, for the first byte and for the last", async () => {
  const bodies = new BodyReader({ maxBytes: 5, milliseconds: 50 });
  for (const chunks of [[], [[1, 2]]]) {
    const events: unknown[] = [];
    const silent = new ReadableStream({
      pull: (controller) => {
        const chunk = chunks.shift();
        if (chunk) controller.enqueue(Uint8Array.from(chunk));
        else return new Promise(() => {});
      },
      cancel: () => void events.push("cancel"),
    }, { highWaterMark: 0 });
    const error = await assertRejects(
      () => bodies.read(post(silent)),
      ProblemError,
      "within 0.05 s",
    );
    assertEquals([error.problem, error.headers, events], [
      "slow-body",
      { Connection: "close" },
      [],
    ]);
  }
});

Deno.test("BodyReader read() takes no more of many bodies at once than 16 of the largest", async () => {
  const bodies = new BodyReader({ maxBytes: 4, milliseconds: 10_000 });
  const gate = Promise.withResolvers<void>();
  const heldBack = () => {
    let pulled = 0;
    return post(
      new ReadableStream({
        pull: async (controller) => {
          if (pulled++ === 0) return controller.enqueue(Uint8Array.of(1, 2, 3, 4));
          await gate.promise;
          controller.close();
        },
      }, { highWaterMark: 0 }),
    );
  };
  const open = Array.from({ length: 16 }, () => bodies.read(heldBack()));
  await new Promise((resolve) => setTimeout(resolve, 20));
  const more = () => bodies.read(post(streamOf([[1]])));
  const error = await assertRejects(more, ProblemError);
  assertEquals(error.problem, "queue-full");
  gate.resolve();
  for (const body of await Promise.all(open)) assertEquals(body.length, 4);
  assertEquals((await more()).length, 1);
});
