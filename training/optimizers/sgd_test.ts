import { assert, assertEquals } from "@std/assert";
import { readFixtureCases } from "../../tests/fixtures/read_fixture.ts";
import { openGpu } from "../gpu/device.ts";
import { runDispatches } from "../gpu/run_dispatches.ts";
import { encodeLossScale, NO_LOSS_SCALE } from "../kernels/loss_scale/loss_scale.ts";
import { assertClose, randomTensor } from "../ops/op_harness.ts";
import { updateRule } from "../ops/op.ts";
import { encodeStep } from "../ops/step.ts";
import { type ParameterGroup, type SgdBuffer, type SgdOptions, sgdUpdate } from "./sgd.ts";
import { type SgdReference, sgdReference } from "./sgd_reference.ts";

const gpu = await openGpu();

interface Arenas {
  readonly parameters: Float32Array<ArrayBuffer>;
  readonly momenta: Float32Array<ArrayBuffer>;
}

/** One update of whole arenas. */
async function updateOnce(
  { parameters, momenta }: Arenas,
  gradients: Float32Array<ArrayBuffer>,
  learningRate: number,
  [groups, options]: readonly [ParameterGroup[], SgdOptions],
  limits: { maxBindingBytes: number; maxWorkgroups: number } = gpu,
): Promise<Arenas> {
  const step = encodeStep({ learningRate, seed: 0, step: 0, part: 0, images: 1 });
  const dispatches = sgdUpdate(groups, options, limits);
  return await runDispatches<SgdBuffer>(gpu, dispatches, {
    ...{ parameters, gradients, momenta, step },
    lossScale: new Uint8Array(encodeLossScale(NO_LOSS_SCALE)),
  }) as unknown as Arenas;
}

const floats = (length: number, seed: number) =>
  Float32Array.from(randomTensor([length], seed).data);

for (const { name, attributes, tensors } of await readFixtureCases("sgd")) {
  Deno.test(`sgdUpdate() and its reference equal PyTorch over five steps: ${name}`, async () => {
    const { momentum, decay, rates, rateMultiplier, decayMultiplier } = attributes as {
      momentum: number;
      decay: number;
      rates: number[];
      rateMultiplier: number;
      decayMultiplier: number;
    };
    const initial = tensors.get("initial")!.data;
    const count = initial.length;
    const at = (key: string, step: number) =>
      tensors.get(key)!.data.subarray(step * count, (step + 1) * count);
    const padded = (values: Float32Array) => {
      const stored = new Float32Array(64);
      stored.set(values);
      return stored;
    };
    const update = updateRule({ rateMultiplier, decayMultiplier });
    const group = { update, offset: 0, size: 256 };
    let arenas: Arenas = { parameters: padded(initial), momenta: new Float32Array(64) };
    let expected: SgdReference = {
      weights: Float64Array.from(initial),
      momenta: new Float64Array(count),
    };
    for (const [step, rate] of rates.entries()) {
      const gradients = at("gradients", step);
      const settings = [[group], { momentum, decay }] as const;
      arenas = await updateOnce(arenas, padded(gradients), rate, [[...settings[0]], settings[1]]);
      const multiplied = { rate: rate * rateMultiplier, momentum, decay: decay * decayMultiplier };
      expected = sgdReference(expected, gradients, multiplied);
      const [weights, velocities] = [at("weights", step), at("velocities", step)];
      assertClose(expected.weights, weights, { relative: 1e-6, message: "reference" });
      assertClose(expected.momenta, velocities, { relative: 1e-6, message: "reference" });
      const message = `step ${step}`;
      assertClose(arenas.parameters.subarray(0, count), weights, { relative: 1e-6, message });
      assertClose(arenas.momenta.subarray(0, count), velocities, { relative: 1e-6, message });
    }
    assert(arenas.parameters.subarray(count).every((value) => value === 0), "padding changed");
  });
}

// 3 x 256 bytes a binding cut the groups into pieces; few workgroups fold into two dimensions.
for (const limits of [gpu, { maxBindingBytes: 1000, maxWorkgroups: 2 }]) {
  const { maxBindingBytes } = limits;
  Deno.test(`sgdUpdate() treats groups alone, ${maxBindingBytes} bytes a binding`, async () => {
    const groups = [
      { update: updateRule(), offset: 0, size: 256 * 3 },
      {
        update: updateRule({ rateMultiplier: 2, decayMultiplier: 0 }),
        offset: 256 * 3,
        size: 256 * 3,
      },
      { update: updateRule({ constantRate: 0.03 }), offset: 256 * 6, size: 256 * 2 },
      { update: updateRule({ momentum: 0.5 }), offset: 256 * 8, size: 256 * 2 },
    ];
    const options = { momentum: 0.9, decay: 0.01 };
    const [parameters, gradients, momenta] = [1, 2, 3].map((seed) => floats(640, seed));
    const before = { parameters: parameters!, momenta: momenta! };
    const after = await updateOnce(before, gradients!, 0.1, [groups, options], limits);
    const expectedOf = [
      { rate: 0.1, momentum: 0.9, decay: 0.01 },
      { rate: 0.2, momentum: 0.9, decay: 0 },
      { rate: 0.03, momentum: 0.9, decay: 0.01 },
      { rate: 0.1, momentum: 0.5, decay: 0.01 },
    ];
    for (const [i, { offset, size }] of groups.entries()) {
      const own = (values: Float32Array) => values.subarray(offset / 4, (offset + size) / 4);
      const expected = sgdReference(
        {
          weights: Float64Array.from(own(parameters!)),
          momenta: Float64Array.from(own(momenta!)),
        },
        own(gradients!),
        expectedOf[i]!,
      );
      assertClose(own(after.parameters), expected.weights, { relative: 1e-6 });
      assertClose(own(after.momenta), expected.momenta, { relative: 1e-6 });
    }
  });
}

Deno.test("sgdUpdate() binds within the limit and covers each group once", () => {
  const groups = [{ update: updateRule(), offset: 512, size: 256 * 7 }];
  const limits = { maxBindingBytes: 1000, maxWorkgroups: 65535 };
  const ranges = sgdUpdate(groups, { momentum: 0.9, decay: 0 }, limits).map(({ bindings }) => {
    const [{ offset, size } = {}] = bindings;
    return [offset, size];
  });
  assertEquals(ranges, [[512, 768], [1280, 768], [2048, 256]]);
});
