import { assertEquals } from "@std/assert";
import { buildKernels, BUILDS } from "./build.ts";

for (const [file, features] of Object.entries(BUILDS)) {
  Deno.test(`${file} is what its source builds to`, async () => {
    const committed = await Deno.readFile(new URL(file, import.meta.url));
    const built = await buildKernels(features);
    // After a change of the source: deno task build:kernels
    assertEquals(await hash(built), await hash(committed));
  });
}

async function hash(bytes: Uint8Array): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.from(bytes))).toHex();
}
