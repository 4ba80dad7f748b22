import { assertEquals } from "@std/assert";
import { thumbnail } from "./thumbnail.ts";

/** A PNG of one red pixel. */
const RED_PIXEL = Uint8Array.fromBase64(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC",
);

Deno.test("thumbnail() paints eight lines of sixteen characters in the image's colours", async () => {
  const lines = await thumbnail(RED_PIXEL);
  const red = "\x1b[38;2;255;0;0;48;2;255;0;0m▀";
  assertEquals(lines, Array.from({ length: 8 }, () => `${red.repeat(16)}\x1b[0m`));
});
