// int8 weights multiplied with float32, in the lean session against ONNX Runtime.
import { assert } from "@std/assert";
import type { OnnxNode, OnnxTensor } from "../../shared/onnx/onnx_node.ts";
import { type Case, leanRunner, modelOf, nodeOf, Numbers, proves } from "./compare.ts";

interface Stored {
  readonly node: OnnxNode;
  readonly tensors: readonly OnnxTensor[];
}

/** Weights "w", …: int8, and a DequantizeLinear. Scales and zero points stand in front or behind. */
function stored(
  numbers: Numbers,
  name: string,
  dims: readonly number[],
  { axis, scales, zeros = "none", inFront = numbers.next() > 0 }: {
    /** ONNX's own default where it is left out. */
    readonly axis?: number;
    readonly scales: number;
    readonly zeros?: "none" | "all 0" | "others";
    readonly inFront?: boolean;
  },
): Stored {
  const length = dims.reduce((product, size) => product * size, 1);
  const [integers, scale, zero] = ["int8", "scale", "zero"].map((what) => `${name}/${what}`);
  const shape = scales === 1 ? [] : [scales];
  const points = Int8Array.from(
    { length: scales },
    () => zeros === "others" ? numbers.whole(-9, 9) : 0,
  );
  const behind: OnnxTensor[] = [
    {
      name: scale!,
      dims: shape,
      data: numbers.array(scales).map((number) => Math.abs(number) / 100 + 0.001),
    },
    ...zeros === "none" ? [] : [{ name: zero!, dims: shape, data: points }],
  ];
  const weights: OnnxTensor = {
    name: integers!,
    dims,
    data: Int8Array.from({ length }, () => numbers.whole(-128, 127)),
  };
  return {
    node: nodeOf(
      "DequantizeLinear",
      [integers!, scale!, ...zeros === "none" ? [] : [zero!]],
      [name],
      axis === undefined ? {} : { axis: { int: axis } },
    ),
    tensors: inFront ? [...behind, weights] : [weights, ...behind],
  };
}

const flatten = nodeOf("Flatten", ["x"], ["flat"], { axis: { int: 1 } });

/** A scale for each output, or one for all. */
const anyScales = (numbers: Numbers, outputs: number) => numbers.next() > 0 ? outputs : 1;

proves("fully connected layers with int8 weights and float32 inputs", 12, (numbers): Case => {
  const [inputs, hidden, outputs] = [90, 30, 30].map((most) => numbers.whole(1, most));
  const transB = numbers.whole(0, 1);
  const first = stored(numbers, "w", transB ? [hidden!, inputs!] : [inputs!, hidden!], {
    axis: transB ? -2 : 1,
    scales: anyScales(numbers, hidden!),
  });
  const second = stored(numbers, "w2", [hidden!, outputs!], {
    scales: anyScales(numbers, outputs!),
  });
  return {
    shape: [inputs!, 1, 1],
    batches: [7, 2, 1],
    nodes: [
      flatten,
      first.node,
      second.node,
      nodeOf("Gemm", ["flat", "w", "b"], ["hidden"], { transB: { int: transB } }),
      nodeOf("Relu", ["hidden"], ["relu"]),
      nodeOf("MatMul", ["relu", "w2"], ["product"]),
      nodeOf("Add", ["product", "b2"], ["sum"]),
    ],
    initializers: [
      ...first.tensors,
      ...second.tensors,
      { name: "b", dims: [hidden!], data: numbers.array(hidden!) },
      { name: "b2", dims: [outputs!], data: numbers.array(outputs!) },
    ],
  };
});

proves("convolutions with int8 weights and float32 inputs", 8, (numbers): Case => {
  const group = numbers.whole(1, 3);
  const channels = group * numbers.whole(1, 5);
  const outputs = group * (group > 1 ? 4 : 1) * numbers.whole(1, 6);
  const [rows, columns] = [numbers.whole(1, 4), numbers.whole(1, 4)];
  const weights = stored(numbers, "w", [outputs, channels / group, rows, columns], {
    axis: 0,
    scales: anyScales(numbers, outputs),
  });
  return {
    shape: [channels, numbers.whole(4, 12), numbers.whole(4, 12)],
    nodes: [
      weights.node,
      nodeOf("Conv", ["x", "w", "b"], ["conv"], {
        group: { int: group },
        strides: { ints: [numbers.whole(1, 2), numbers.whole(1, 3)] },
        pads: { ints: [0, 1, 1, 2] },
      }),
    ],
    initializers: [
      ...weights.tensors,
      { name: "b", dims: [outputs], data: numbers.array(outputs) },
    ],
  };
});

for (const zeros of ["all 0", "others"] as const) {
  proves(`int8 weights with zero points, ${zeros}`, 6, (numbers): Case => {
    const [channels, outputs] = [numbers.whole(1, 9), numbers.whole(1, 20)];
    const conv = stored(numbers, "c", [outputs, channels, 1, 1], {
      axis: 0,
      scales: outputs,
      zeros,
    });
    const matrix = stored(numbers, "w", [outputs * 9, 10], {
      scales: anyScales(numbers, 10),
      zeros,
    });
    return {
      shape: [channels, 3, 3],
      nodes: [
        conv.node,
        matrix.node,
        nodeOf("Conv", ["x", "c"], ["conv"]),
        nodeOf("Flatten", ["conv"], ["flat"], { axis: { int: 1 } }),
        nodeOf("MatMul", ["flat", "w"], ["product"]),
      ],
      initializers: [...conv.tensors, ...matrix.tensors],
    };
  });
}

proves("int8 weights with a scale for each input", 4, (numbers): Case => {
  // As many inputs as outputs: the number of scales does not tell which they are of.
  const size = numbers.whole(2, 30);
  const weights = stored(numbers, "w", [size, size], { axis: 0, scales: size });
  return {
    shape: [size, 1, 1],
    nodes: [flatten, weights.node, nodeOf("MatMul", ["flat", "w"], ["product"])],
    initializers: weights.tensors,
  };
});

Deno.test("int8 weights stay int8 in memory, wherever their scales stand", async () => {
  const [inputs, outputs] = [1024, 2048];
  for (const zeros of ["none", "all 0"] as const) {
    for (const inFront of zeros === "none" ? [false, true] : [true]) {
      const weights = stored(new Numbers(1), "w", [inputs, outputs], {
        scales: outputs,
        zeros,
        inFront,
      });
      const nodes = [flatten, weights.node, nodeOf("MatMul", ["flat", "w"], ["product"])];
      const file = modelOf([inputs, 1, 1], nodes, weights.tensors);
      const names = { input: "x", output: "y" };
      const runner = await leanRunner(file, names, [1, inputs, 1, 1], outputs);
      runner.run(new Float32Array(inputs), 1);
      assert(runner.byteLength < 1.25 * inputs * outputs, `${runner.byteLength} bytes`);
    }
  }
});
