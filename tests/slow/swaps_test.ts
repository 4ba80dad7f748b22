// A hundred versions promoted while clients ask: one or two minutes.
import { assert } from "@std/assert";
import { swapUnderLoad } from "../../inference/fixtures/swap_under_load.ts";

Deno.test("100 swaps under load give no failed and no mixed answer", async () => {
  const answers = await swapUnderLoad(100);
  console.log(`${answers} answers`);
  assert(answers > 1000, `only ${answers} answers`);
});
