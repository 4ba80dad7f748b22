import { assertEquals } from "@std/assert";
import { inFolder } from "../fixtures/drawn_run.ts";
import { crc32c } from "./crc32c.ts";
import { EventFile } from "./event_file.ts";
import written from "./fixtures/events.json" with { type: "json" };

Deno.test("crc32c() has the values of RFC 3720, appendix B.4", () => {
  assertEquals(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assertEquals(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assertEquals(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
  assertEquals(crc32c(new TextEncoder().encode("123456789")), 0xe3069283);
});

// The very bytes that TensorBoard's own reader was asked about: fixtures/read_events.py.
Deno.test("EventFile writes what TensorBoard reads", async () => {
  await inFolder(async (path) => {
    await Deno.mkdir(path(""), { recursive: true });
    const file = new EventFile(path(""), 1_764_000_000.25);
    for (const { step, time, scalars } of written.events) await file.write(step, time, scalars);
    assertEquals(file.path, path("events.out.tfevents.1764000000.topfive"));
    assertEquals((await Deno.readFile(file.path)).toBase64(), written.base64);
  });
});
