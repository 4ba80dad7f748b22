import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { coloursStore } from "../fixtures/colours_store.ts";
import { classifyCommand } from "./main.ts";

const file = (name: string) => fromFileUrl(new URL(`../fixtures/${name}`, import.meta.url));

Deno.test("topfive classify answers offline from a store, and 1 where an image has no answer", async () => {
  await using store = await coloursStore();
  const lines: string[] = [];
  const { log, error } = console;
  console.log = (line: string) => lines.push(line);
  console.error = (line: string) => lines.push(line);
  try {
    const args = ["--store", store.folder, "--top", "1"];
    assertEquals(await classifyCommand([file("red.png"), "--json", ...args]), 0);
    assertEquals(await classifyCommand([file("colours.onnx"), file("blue.jpg"), ...args]), 1);
    assertEquals(await classifyCommand(["--store", store.folder]), 2);
  } finally {
    console.log = log;
    console.error = error;
  }
  assertEquals(JSON.parse(lines[0]!).predictions[0].label, "red");
  assertEquals(lines[1]!.includes("colours.onnx: Cannot read image"), true, lines[1]);
  assertEquals(lines[3]!.endsWith("%  blue"), true, lines[3]);
});
