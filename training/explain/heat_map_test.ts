import { assert, assertEquals } from "@std/assert";
import { heatColors, highlight, saliencyOf, sideBySide } from "./heat_map.ts";

Deno.test("saliencyOf() is the largest gradient over the channels, 0 to 1", () => {
  const saliency = saliencyOf(Float32Array.of(1, 0, -2, 0, 0, 0.5, 1, -4), 2);
  // The brightest but one per cent of four pixels is the second brightest, 2.
  assertEquals([...saliency], [0.5, 0.25, 1, 1]);
  assertEquals([...saliencyOf(new Float32Array(12), 2)], [0, 0, 0, 0]);
});

Deno.test("heatColors() runs from black to bright yellow, ever brighter", () => {
  const values = Float32Array.from({ length: 21 }, (_, i) => i / 20);
  const colors = heatColors(values);
  assertEquals([...colors.subarray(0, 3), ...colors.subarray(60)], [0, 0, 4, 252, 255, 164]);
  const luma = Array.from(values, (_, i) => {
    const [r, g, b] = colors.subarray(3 * i, 3 * i + 3);
    return 0.299 * r! + 0.587 * g! + 0.114 * b!;
  });
  assert(luma.every((value, i) => i === 0 || value > luma[i - 1]!), luma.join());
});

Deno.test("highlight() keeps what mattered and darkens the rest", () => {
  const picture = Uint8Array.of(200, 100, 20, 200, 100, 20);
  assertEquals([...highlight(picture, Float32Array.of(1, 0))], [200, 100, 20, 30, 15, 3]);
});

Deno.test("sideBySide() scales by whole pixels", () => {
  const [a, b] = [Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5, 6)];
  const { data, width, height } = sideBySide([a, b], { side: 1, scale: 2, gap: 1 });
  assertEquals([width, height], [5, 2]);
  const row = [1, 2, 3, 1, 2, 3, 255, 255, 255, 4, 5, 6, 4, 5, 6];
  assertEquals([...data], [...row, ...row]);
});
