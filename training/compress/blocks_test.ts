import { assert, assertEquals, assertLess } from "@std/assert";
import { Random } from "../random.ts";
import { quantizeByBlock } from "./blocks.ts";
import { InputMoments } from "./input_moments.ts";

/** Weights as they come back: [inputs, outputs]. */
function restored(data: Float32Array, inputs: number, outputs: number, block: number) {
  const { values, scales } = quantizeByBlock(data, [inputs, outputs], { block });
  assertEquals(scales.length, Math.ceil(inputs / block) * outputs);
  assert(values.every((value) => value >= -8 && value <= 7));
  return data.map((_, i) => {
    const [input, output] = [Math.floor(i / outputs), i % outputs];
    return values[i]! * scales[Math.floor(input / block) * outputs + output]!;
  });
}

function squaredError(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0);
}

Deno.test("quantizeByBlock() is nearer to the weights than the largest weight's own scale", () => {
  const random = new Random(1);
  const [inputs, outputs, block] = [100, 6, 32];
  const data = Float32Array.from({ length: inputs * outputs }, () => random.normal());
  const found = squaredError(restored(data, inputs, outputs, block), data);
  // A scale of a block's largest magnitude / 7, the plain way.
  const plain = data.map((value, i) => {
    const [first, output] = [Math.floor(i / outputs / block) * block, i % outputs];
    let largest = 0;
    for (let k = first; k < Math.min(first + block, inputs); k++) {
      largest = Math.max(largest, Math.abs(data[k * outputs + output]!));
    }
    return Math.round(value / (largest / 7)) * largest / 7;
  });
  assertLess(found, 0.85 * squaredError(plain, data));
  // Of normal weights in blocks of 32 about 8 % is lost.
  assertLess(Math.sqrt(found / squaredError(data, data.map(() => 0))), 0.09);
});

Deno.test("quantizeByBlock() with moments errs less in what the layer gives", () => {
  const random = new Random(2);
  const [inputs, outputs, block, images] = [64, 8, 32, 100];
  const data = Float32Array.from({ length: inputs * outputs }, () => random.normal());
  // Neighbours are alike, as in a map.
  const image = () => {
    let last = 0;
    return Float32Array.from({ length: inputs }, () => last = 0.9 * last + random.normal());
  };
  const moments = new InputMoments(inputs, block);
  for (let i = 0; i < images; i++) moments.add(image());
  const errorOf = ({ values, scales }: ReturnType<typeof quantizeByBlock>) => {
    let error = 0;
    for (let i = 0; i < images; i++) {
      const x = image();
      for (let output = 0; output < outputs; output++) {
        let sum = 0;
        x.forEach((value, k) => {
          const at = k * outputs + output;
          const weight = values[at]! * scales[Math.floor(k / block) * outputs + output]!;
          sum += value * (weight - data[at]!);
        });
        error += sum * sum;
      }
    }
    return error;
  };
  const nearest = errorOf(quantizeByBlock(data, [inputs, outputs], { block }));
  const compensated = errorOf(quantizeByBlock(data, [inputs, outputs], { block, moments }));
  assertLess(compensated, 0.5 * nearest);
});

Deno.test("quantizeByBlock() keeps what 4 bits hold: zeros, few steps, and large beside small blocks", () => {
  const steps = Float32Array.from({ length: 16 }, (_, i) => i - 8);
  assertEquals(restored(steps, 16, 1, 16), steps);
  assertEquals(restored(new Float32Array(12), 6, 2, 4), new Float32Array(12));
  const mixed = Float32Array.of(1000, -500, 0.001, 0.0005, 1e-6);
  restored(mixed, 5, 1, 2).forEach((value, i) => assertLess(Math.abs(value / mixed[i]! - 1), 0.1));
});
