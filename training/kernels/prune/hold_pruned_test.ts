import { assertEquals } from "@std/assert";
import { openGpu } from "../../gpu/device.ts";
import { runDispatches } from "../../gpu/run_dispatches.ts";
import { randomTensor } from "../../ops/op_harness.ts";
import { holdPruned } from "./hold_pruned.ts";

const gpu = await openGpu();
const FLOATS = 128 * 5;

// 512 bytes a binding cut the arenas into pieces; few workgroups fold into two dimensions.
for (const limits of [gpu, { maxBindingBytes: 1100, maxWorkgroups: 2 }]) {
  Deno.test(`holdPruned() zeroes the pruned alone, ${limits.maxBindingBytes} bytes a binding`, async () => {
    const [parameters, momenta, drawn] = [1, 2, 3].map((seed) =>
      Float32Array.from(randomTensor([FLOATS], seed).data)
    ) as [Float32Array<ArrayBuffer>, Float32Array<ArrayBuffer>, Float32Array<ArrayBuffer>];
    const kept = drawn.map((value) => value > 0.2 ? 1 : 0);
    momenta[kept.indexOf(0)] = Infinity;
    const after = await runDispatches(gpu, holdPruned(FLOATS * 4, limits), {
      parameters,
      momenta,
      kept,
    });
    const expected = (values: Float32Array) => values.map((value, i) => kept[i] === 1 ? value : 0);
    assertEquals(after.parameters, expected(parameters));
    assertEquals(after.momenta, expected(momenta));
  });
}
