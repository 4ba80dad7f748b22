import { assertEquals, assertMatch } from "@std/assert";
import { instanceOf, requestIdOf, traceIdOf } from "./request_id.ts";

const UUID = "6f1f7a0e-1c3a-4d8e-9f5e-0c1d2e3f4a5b";

Deno.test("requestIdOf() keeps a plain id of the client's, and gives its own in place of any other", () => {
  for (const id of [UUID, "01ARZ3NDEKTSV4RRFFQ69G5FAV", "front-end:12345678"]) {
    assertEquals(requestIdOf(id), id);
  }
  const wrong = [
    undefined,
    "",
    "short",
    "x".repeat(129),
    'a"b"c"d"e"',
    "a b c d e",
    "id\nforged=1",
  ];
  for (const id of wrong) assertMatch(requestIdOf(id), /^[0-9a-f-]{36}$/);
});

Deno.test("traceIdOf() reads the trace of a valid traceparent alone", () => {
  const [trace, parent] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];
  assertEquals(traceIdOf(`00-${trace}-${parent}-01`), trace);
  const wrong = [
    undefined,
    trace,
    `ff-${trace}-${parent}-01`,
    `00-${"0".repeat(32)}-${parent}-01`,
    `00-${trace}-${"0".repeat(16)}-01`,
    `00-${trace.toUpperCase()}-${parent}-01`,
  ];
  for (const header of wrong) assertEquals(traceIdOf(header), undefined, header);
});

Deno.test("instanceOf() is a URI reference whatever the id", () => {
  assertEquals(instanceOf(UUID), `urn:uuid:${UUID}`);
  assertEquals(instanceOf("front-end:1234"), "/requests/front-end%3A1234");
});
