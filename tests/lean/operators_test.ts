// Each operator of the lean session against ONNX Runtime, on shapes drawn at random.
import { assertEquals, assertRejects } from "@std/assert";
import { openSession } from "../../inference/workers/session.ts";
import { UnsupportedError } from "../../inference/lean/unsupported.ts";
import { type Case, leanRunner, modelOf, nodeOf, type Numbers, proves } from "./compare.ts";

const ints = (...values: number[]) => ({ ints: values });

function drawConv(numbers: Numbers, group: number, multiple = 1): Case {
  const channels = group * multiple * numbers.whole(1, 5);
  const outputs = group * (group > 1 ? 4 : 1) * numbers.whole(1, 6);
  const [rows, columns] = [numbers.whole(1, 5), numbers.whole(1, 5)];
  const dilations = [numbers.whole(1, 2), numbers.whole(1, 2)];
  const pads = Array.from({ length: 4 }, () => numbers.whole(0, 3));
  const shape = [
    channels,
    numbers.whole((rows - 1) * 2 + 1, 14),
    numbers.whole((columns - 1) * 2 + 1, 14),
  ] as const;
  const biased = numbers.next() > 0;
  const nodes = [
    nodeOf("Conv", ["x", "w", ...biased ? ["b"] : []], ["conv"], {
      kernel_shape: ints(rows, columns),
      strides: ints(numbers.whole(1, 4), numbers.whole(1, 3)),
      pads: ints(...pads),
      dilations: ints(...dilations),
      group: { int: group },
    }),
    ...numbers.next() > 0 ? [nodeOf("Relu", ["conv"], ["relu"])] : [],
  ];
  const dims = [outputs, channels / group, rows, columns];
  const length = dims.reduce((product, size) => product * size, 1);
  return {
    shape,
    nodes,
    initializers: [
      { name: "w", dims, data: numbers.array(length) },
      ...biased ? [{ name: "b", dims: [outputs], data: numbers.array(outputs) }] : [],
    ],
  };
}

proves("Conv", 12, (numbers) => drawConv(numbers, 1));
proves("Conv in groups", 8, (numbers) => drawConv(numbers, numbers.whole(2, 3)));

proves("Conv behind another, over few and many windows", 6, (numbers) => {
  const first = drawConv(numbers, 1);
  const channels = first.initializers[0]!.dims[0]!;
  const outputs = numbers.whole(1, 20);
  return {
    shape: [first.shape[0], 20, 22],
    nodes: [
      ...first.nodes,
      nodeOf("Conv", [first.nodes.at(-1)!.outputs[0]!, "w2", ""], ["conv2"], {
        kernel_shape: ints(1, 1),
        pads: ints(0, 1, 0, 2),
      }),
    ],
    initializers: [
      ...first.initializers,
      { name: "w2", dims: [outputs, channels, 1, 1], data: numbers.array(outputs * channels) },
    ],
  };
});

for (const opType of ["MaxPool", "AveragePool"]) {
  proves(opType, 8, (numbers) => {
    const kernel = [numbers.whole(1, 4), numbers.whole(1, 4)] as const;
    const pads = [0, 1, 0, 1].map((axis) => numbers.whole(0, kernel[axis]! - 1));
    return {
      shape: [numbers.whole(1, 9), numbers.whole(5, 12), numbers.whole(5, 12)],
      nodes: [nodeOf(opType, ["x"], ["pool"], {
        kernel_shape: ints(...kernel),
        strides: ints(numbers.whole(1, 3), numbers.whole(1, 3)),
        pads: ints(...pads),
        ceil_mode: { int: numbers.whole(0, 1) },
        ...opType === "AveragePool" ? { count_include_pad: { int: numbers.whole(0, 1) } } : {},
      })],
      initializers: [],
    };
  });
}

proves("GlobalAveragePool and Softmax", 3, (numbers) => ({
  shape: [numbers.whole(1, 30), numbers.whole(1, 9), numbers.whole(1, 9)],
  nodes: [
    nodeOf("GlobalAveragePool", ["x"], ["mean"]),
    nodeOf("Softmax", ["mean"], ["softmax"], { axis: { int: 1 } }),
  ],
  initializers: [],
}));

proves("LRN", 6, (numbers) => ({
  shape: [numbers.whole(1, 24), numbers.whole(1, 6), numbers.whole(1, 6)],
  nodes: [nodeOf("LRN", ["x"], ["lrn"], {
    size: { int: 2 * numbers.whole(0, 3) + 1 },
    alpha: { float: numbers.whole(1, 9) / 10 },
    beta: { float: numbers.next() > 0 ? 0.75 : 0.6 },
    bias: { float: numbers.whole(1, 3) },
  })],
  initializers: [],
}));

for (const opType of ["Add", "Sub", "Mul", "Div", "Pow"]) {
  proves(`${opType} by a number for each channel`, 3, (numbers) => {
    const channels = numbers.whole(1, 9);
    const data = numbers.array(channels).map((number) => number + 2);
    return {
      shape: [channels, numbers.whole(1, 5), numbers.whole(1, 5)],
      nodes: [
        nodeOf("Mul", ["x", "x"], ["squares"]),
        nodeOf(opType, ["squares", "c"], ["result"]),
        nodeOf("Conv", ["result", "w"], ["conv"], { pads: ints(1, 1, 1, 1) }),
        nodeOf("Add", ["conv", "half"], ["sum"]),
      ],
      initializers: [
        { name: "c", dims: [1, channels, 1, 1], data },
        { name: "half", dims: [], data: Float32Array.of(0.5) },
        { name: "w", dims: [2, channels, 2, 2], data: numbers.array(8 * channels) },
      ],
    };
  });
}

proves("Pow by 3/4, Div and Tanh", 3, (numbers) => ({
  shape: [numbers.whole(1, 9), 4, 3],
  nodes: [
    nodeOf("Mul", ["x", "x"], ["squares"]),
    nodeOf("Add", ["squares", "one"], ["base"]),
    nodeOf("Pow", ["base", "power"], ["root"]),
    nodeOf("Div", ["x", "root"], ["quotient"]),
    nodeOf("Tanh", ["quotient"], ["tanh"]),
  ],
  initializers: [
    { name: "one", dims: [1], data: Float32Array.of(1) },
    { name: "power", dims: [], data: Float32Array.of(0.75) },
  ],
}));

proves("Split and Concat", 6, (numbers) => {
  const sizes = [numbers.whole(1, 3) * 4, numbers.whole(1, 9), numbers.whole(1, 5)];
  const channels = sizes.reduce((sum, size) => sum + size, 0);
  const parts = sizes.map((_, i) => `part${i}`);
  return {
    shape: [channels, numbers.whole(2, 6), numbers.whole(2, 6)],
    nodes: [
      nodeOf("Relu", ["x"], ["start"]),
      nodeOf("Split", ["start", "sizes"], parts, { axis: { int: 1 } }),
      ...parts.map((part, i) =>
        nodeOf(
          i === 1 ? "Relu" : "LRN",
          [part],
          [`${part}/done`],
          i === 1 ? {} : { size: { int: 3 } },
        )
      ),
      nodeOf("Concat", ["part2/done", "part0/done", "part1/done", "part0"], ["joined"], {
        axis: { int: 1 },
      }),
      nodeOf("Conv", ["joined", "w"], ["conv"], {
        pads: ints(1, 0, 1, 0),
        kernel_shape: ints(2, 1),
      }),
    ],
    initializers: [
      { name: "sizes", dims: [3], data: BigInt64Array.from(sizes, BigInt) },
      {
        name: "w",
        dims: [5, channels + sizes[0]!, 2, 1],
        data: numbers.array(10 * (channels + sizes[0]!)),
      },
    ],
  };
});

for (const transB of [0, 1]) {
  proves(`Gemm with transB ${transB}, MatMul and Flatten`, 4, (numbers) => {
    const shape = [numbers.whole(1, 6), numbers.whole(1, 4), numbers.whole(1, 4)] as const;
    const inputs = shape[0] * shape[1] * shape[2];
    const [hidden, outputs] = [numbers.whole(1, 20), numbers.whole(1, 20)];
    return {
      shape,
      nodes: [
        nodeOf("Flatten", ["x"], ["flat"], { axis: { int: 1 } }),
        nodeOf("Gemm", ["flat", "w", "b"], ["hidden"], { transB: { int: transB } }),
        nodeOf("Relu", ["hidden"], ["relu"]),
        nodeOf("Identity", ["relu"], ["kept"]),
        nodeOf("MatMul", ["kept", "w2"], ["product"]),
        nodeOf("Add", ["product", "b2"], ["sum"]),
      ],
      initializers: [
        {
          name: "w",
          dims: transB === 1 ? [hidden, inputs] : [inputs, hidden],
          data: numbers.array(hidden * inputs),
        },
        { name: "b", dims: [hidden], data: numbers.array(hidden) },
        { name: "w2", dims: [hidden, outputs], data: numbers.array(hidden * outputs) },
        { name: "b2", dims: [outputs], data: numbers.array(outputs) },
      ],
    };
  });
}

proves("subtraction of a mean image, weights stored as float16", 2, (numbers) => {
  const shape = [3, numbers.whole(4, 9), numbers.whole(4, 9)] as const;
  return {
    shape,
    nodes: [
      nodeOf("Sub", ["x", "mean"], ["centred"]),
      nodeOf("Cast", ["w16"], ["w"], { to: { int: 1 } }),
      nodeOf("Conv", ["centred", "w"], ["conv"], { strides: ints(2, 2), pads: ints(0, 0, 3, 3) }),
    ],
    initializers: [
      { name: "mean", dims: shape, data: numbers.array(shape[0] * shape[1] * shape[2]) },
      { name: "w16", dims: [7, 3, 3, 3], data: Float16Array.from(numbers.array(7 * 27)) },
    ],
  };
});

proves("fully connected layers, weights stored as float16", 8, (numbers) => {
  const inputs = numbers.whole(1, 90);
  const [hidden, outputs] = [numbers.whole(1, 20), numbers.whole(1, 20)];
  const cast = (name: string) => nodeOf("Cast", [`${name}/half`], [name], { to: { int: 1 } });
  const half = (name: string, dims: number[]) => ({
    name: `${name}/half`,
    dims,
    // Also numbers below the least that float16 has with all its bits, 6e-5.
    data: Float16Array.from(numbers.array(dims[0]! * dims[1]!).map((number) => number ** 9)),
  });
  return {
    shape: [inputs, 1, 1],
    batches: [7, 2, 1],
    nodes: [
      nodeOf("Flatten", ["x"], ["flat"], { axis: { int: 1 } }),
      cast("w"),
      nodeOf("Gemm", ["flat", "w"], ["hidden"], { transB: { int: 1 } }),
      cast("w2"),
      nodeOf("MatMul", ["hidden", "w2"], ["product"]),
    ],
    initializers: [half("w", [hidden, inputs]), half("w2", [hidden, outputs])],
  };
});

Deno.test("the lean session refuses float16 weights that its 16 bits cannot hold, and takes others", async () => {
  const fileOf = (weight: number) =>
    modelOf([8, 1, 1], [
      nodeOf("Flatten", ["x"], ["flat"], { axis: { int: 1 } }),
      nodeOf("Cast", ["w/half"], ["w"], { to: { int: 1 } }),
      nodeOf("MatMul", ["flat", "w"], ["product"]),
    ], [{ name: "w/half", dims: [8, 3], data: new Float16Array(24).fill(weight) }]);
  const open = (weight: number) =>
    leanRunner(fileOf(weight), { input: "x", output: "y" }, [1, 8, 1, 1], 3);
  const runner = await open(-127.9375);
  assertEquals(
    runner.run(new Float32Array(8).fill(1), 1),
    new Float32Array(3).fill(-8 * 127.9375),
  );
  await assertRejects(() => open(128), UnsupportedError, "float16 weights of 128 and more");
  // Which is when the service takes the other engine.
  const session = await openSession(fileOf(128), {
    name: "large",
    version: "1",
    input: { name: "x", shape: [-1, 8, 1, 1] },
    output: { name: "y", classes: 3 },
  });
  assertEquals(session.runtime, "onnxruntime-web");
  assertEquals(await session.run(new Float32Array(8).fill(1), 1), new Float32Array(3).fill(1024));
  await session.close();
});
