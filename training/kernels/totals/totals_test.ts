import { assertEquals } from "@std/assert";
import { openGpu } from "../../gpu/device.ts";
import { runDispatches } from "../../gpu/run_dispatches.ts";
import { encodeStep } from "../../ops/step.ts";
import { addTotals, TOTAL_ROWS, TOTALS } from "./totals.ts";

const gpu = await openGpu();

Deno.test("addTotals() adds what counts and leaves padding images out", async () => {
  // Loss, top-1 error, top-5 error of five images, of which three count.
  const losses = Float32Array.of(0.5, 1, 0, 2, 1, 1, 0.25, 0, 0, 64, 1, 1, 128, 1, 1);
  const at = TOTAL_ROWS + 5;
  const step = encodeStep({ learningRate: 0, seed: 0, step: at, part: 0, images: 3 });
  const dispatch = addTotals<"losses" | "totals" | "step">("losses", "totals", "step");
  const totals = new Float32Array(TOTAL_ROWS * TOTALS);
  totals.set([10, 20, 30, 40], 5 * TOTALS);
  const after = await runDispatches(gpu, [dispatch, dispatch], { losses, totals, step });
  totals.set([15.5, 24, 32, 46], 5 * TOTALS);
  assertEquals(after.totals, totals);
});
