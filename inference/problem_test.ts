import { assert, assertEquals, assertFalse } from "@std/assert";
import { ImageError } from "../shared/image/image.ts";
import { ProblemError, problemResponse, PROBLEMS, queueFull, toProblem } from "./problem.ts";
import { WorkerEndedError } from "./workers/task_worker.ts";

const id = "3f1c9b0e-8a59-4a57-9a0e-5e1a3d2b7c11";

Deno.test("problemResponse() has the members and the media type of RFC 9457", async () => {
  const response = problemResponse(queueFull(), id);
  assertEquals(response.status, 503);
  assertEquals(response.headers.get("Content-Type"), "application/problem+json");
  assertEquals(response.headers.get("Retry-After"), "1");
  assertEquals(await response.json(), {
    type: "/problems/queue-full",
    title: PROBLEMS["queue-full"].title,
    status: 503,
    detail: "Cannot take the image now: too many are waiting",
    instance: `urn:uuid:${id}`,
  });
});

Deno.test("toProblem() gives each kind of unreadable image its own problem", () => {
  const kinds = [["unsupported", 415], ["corrupt", 422], ["too-large", 422]] as const;
  const names = kinds.map(([code, status]) => {
    const problem = toProblem(new ImageError(code, "Cannot decode image: why"));
    assertEquals(PROBLEMS[problem.problem].status, status);
    assertEquals(problem.message, "Cannot decode image: why");
    return problem.problem;
  });
  assertEquals(new Set(names).size, 3);
});

Deno.test("toProblem() tells a late answer from a client that left, and hands on a problem", () => {
  const late = [new WorkerEndedError("ended"), new DOMException("late", "TimeoutError")];
  for (const error of late) assertEquals(toProblem(error).problem, "too-slow");
  assertEquals(toProblem(new DOMException("gone", "AbortError")).problem, "client-gone");
  const problem = new ProblemError("not-found", "Cannot answer GET /x");
  assert(toProblem(problem) === problem);
});

Deno.test("toProblem() tells the client nothing of an unexpected error", async () => {
  const secret = "cannot open /srv/secret/store";
  const problem = toProblem(new Error(secret));
  assertEquals(problem.problem, "internal-error");
  assertEquals((problem.cause as Error).message, secret);
  assertFalse((await problemResponse(problem, id).text()).includes("secret"));
});
