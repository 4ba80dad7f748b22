import { assertEquals } from "@std/assert";
import { openGpu } from "../../gpu/device.ts";
import { runDispatches } from "../../gpu/run_dispatches.ts";
import { addInto } from "./add.ts";

const gpu = await openGpu();

for (const floats of [4, 256, 260, 1300]) {
  Deno.test(`addInto() adds ${floats} numbers and touches no more`, async () => {
    const from = Float32Array.from({ length: floats + 4 }, (_, i) => i / 8);
    const to = Float32Array.from({ length: floats + 4 }, (_, i) => 1000 - i);
    const options = { floats, from: "from", to: "to", target: { maxWorkgroups: 3 } } as const;
    const after = await runDispatches<"from" | "to">(gpu, [addInto(options)], { from, to });
    assertEquals(after.from, from);
    assertEquals(after.to, to.map((value, i) => i < floats ? value + from[i]! : value));
  });
}
