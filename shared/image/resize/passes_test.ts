// WRITE_WASM=1 assembles passes.wat into passes.wasm.
import { assertEquals } from "@std/assert";
import wabt from "wabt";
import { resize } from "./resize.ts";
import { triangleTaps } from "./taps.ts";

const SOURCE = new URL("passes.wat", import.meta.url);
const ASSEMBLED = new URL("passes.wasm", import.meta.url);

Deno.test("passes.wasm is passes.wat assembled", async () => {
  const assembler = await wabt();
  const module = assembler.parseWat("passes.wat", await Deno.readTextFile(SOURCE), { simd: true });
  module.validate();
  const { buffer } = module.toBinary({});
  if (Deno.env.get("WRITE_WASM") === "1") await Deno.writeFile(ASSEMBLED, buffer);
  assertEquals(await Deno.readFile(ASSEMBLED), new Uint8Array(buffer));
});

/** One axis by plain loops: [outer, source, inner] to [outer, target, inner]. */
function resampled(data: Uint8Array, [source, target, inner]: [number, number, number]) {
  const { start, count, weights, size } = triangleTaps(source, target, 0, target);
  const outer = data.length / (source * inner);
  const result = new Uint8ClampedArray(outer * target * inner);
  for (let i = 0; i < result.length; i++) {
    const [block, at, lane] = [
      Math.floor(i / (target * inner)),
      Math.floor(i / inner) % target,
      i % inner,
    ];
    let sum = 2 ** 21;
    for (let k = 0; k < count[at]!; k++) {
      sum += weights[at * size + k]! * data[(block * source + start[at]! + k) * inner + lane]!;
    }
    result[i] = Math.floor(sum / 2 ** 22);
  }
  return new Uint8Array(result);
}

Deno.test("resize() equals plain loops for sizes of every remainder, black, white and between", () => {
  let state = 1;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
  for (let trial = 0; trial < 300; trial++) {
    const channels = trial % 2 ? 1 : 3;
    const [width, height, toWidth, toHeight] = Array.from({ length: 4 }, () => 1 + random(40)) as [
      number,
      number,
      number,
      number,
    ];
    const isHard = trial % 3 === 0;
    const data = Uint8Array.from(
      { length: width * height * channels },
      () => isHard ? 255 * random(2) : random(256),
    );
    const ours = resize({ width, height, channels, data }, { width: toWidth, height: toHeight });
    const narrow = resampled(data, [width, toWidth, channels]);
    const expected = resampled(narrow, [height, toHeight, toWidth * channels]);
    assertEquals(ours.data, expected, `${[width, height, toWidth, toHeight, channels]}`);
  }
});

Deno.test("resize() hands a picture of many rows over in bands", () => {
  const [width, height] = [2000, 1500];
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 7919) >> 3);
  const { data: ours } = resize({ width, height, channels: 3, data }, { width: 5, height: 7 });
  assertEquals(ours, resampled(resampled(data, [width, 5, 3]), [height, 7, 15]));
});
