import { assert, assertEquals } from "@std/assert";
import { MODELS } from "../../../training/models/models.ts";
import { parameterCount } from "../../../training/graph/graph.ts";
import { networkOf } from "./networks.ts";
import { INPUTS, NET_NAMES, stepRate } from "./step_protocol.ts";

Deno.test("stepRate() counts images by the clock", async () => {
  const train = (steps: number) => new Promise<void>((done) => setTimeout(done, 20 * steps));
  const { imagesPerSecond, steps } = await stepRate({ batch: 10, seconds: 0.4 }, train);
  // 500 of a perfect clock; timers are late, never early.
  assert(imagesPerSecond > 250 && imagesPerSecond < 510, `${imagesPerSecond}`);
  assert(steps > 8, `${steps}`);
});

Deno.test("stepRate() looks at the clock twice however long a step takes", async () => {
  const seen: number[] = [];
  await stepRate({ batch: 1, seconds: 1e-9 }, (steps) => {
    seen.push(steps);
    return Promise.resolve();
  });
  assertEquals(seen, [1, 1]);
});

Deno.test("inputs are those of the models", () => {
  for (const net of NET_NAMES) {
    const { crop, channels, classes } = MODELS[net];
    assertEquals(INPUTS[net], [crop, channels, classes]);
  }
});

Deno.test("networkOf() builds alexnet in parts of its width", () => {
  assertEquals(parameterCount(networkOf({ net: "alexnet", width: 1 })), 60_965_224);
  assertEquals(networkOf({ net: "alexnet", width: 0.25 }).output.shape.channels, 1000);
});
