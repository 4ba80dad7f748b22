import { assertEquals } from "@std/assert";
import { AnswerCache } from "./answer_cache.ts";

Deno.test("AnswerCache keeps the answers that were used last", () => {
  const cache = new AnswerCache<number>(2);
  cache.set("a", 1);
  cache.set("b", 2);
  assertEquals(cache.get("a"), 1);
  cache.set("c", 3);
  assertEquals([cache.get("a"), cache.get("b"), cache.get("c")], [1, undefined, 3]);
});

Deno.test("AnswerCache of capacity 0 keeps nothing", () => {
  const cache = new AnswerCache<number>(0);
  cache.set("a", 1);
  assertEquals(cache.get("a"), undefined);
});
