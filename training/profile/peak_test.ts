import { assert } from "@std/assert";
import { openGpu } from "../gpu/device.ts";
import { measurePeak } from "./peak.ts";

const gpu = await openGpu();

Deno.test("measurePeak() measures a product and a copy that some machine could reach", async () => {
  const { gigaflops, gigabytes } = await measurePeak(gpu);
  assert(gigaflops > 0.1 && gigaflops < 1e6, `${gigaflops} GFLOP/s`);
  assert(gigabytes > 0.05 && gigabytes < 1e5, `${gigabytes} GB/s`);
});
