// int8 and int4 networks in the lean session against the same file in ONNX Runtime.
import { assert, assertEquals } from "@std/assert";
import { INT4_OPSET, type OnnxNode, type OnnxTensor } from "../../shared/onnx/onnx_node.ts";
import {
  answerOfOnnxRuntime,
  AS_IT_STANDS,
  BUILDS,
  DIVIDED,
  leanRunner,
  modelOf,
  nodeOf,
  Numbers,
  relativeError,
} from "./compare.ts";

const NAMES = { input: "x", output: "y" };

interface Part {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
}

const scalar = (name: string, data: OnnxTensor["data"]) => ({ name, dims: [], data });

/** [Clip →] QuantizeLinear → DequantizeLinear: `name` becomes `name/rounded`. */
function rounded(name: string, step: number, zero: 0 | 64, clip: boolean): Part {
  const source = clip ? `${name}/clipped` : name;
  const quantized = [`${name}/step`, `${name}/zero`];
  const [low, high] = [Math.max(-63, -zero), 127 - zero];
  return {
    nodes: [
      ...clip ? [nodeOf("Clip", [name, `${name}/low`, `${name}/high`], [source])] : [],
      nodeOf("QuantizeLinear", [source, ...quantized], [`${name}/uint8`]),
      nodeOf("DequantizeLinear", [`${name}/uint8`, ...quantized], [`${name}/rounded`]),
    ],
    initializers: [
      scalar(`${name}/step`, Float32Array.of(step)),
      scalar(`${name}/zero`, Uint8Array.of(zero)),
      ...clip
        ? [
          scalar(`${name}/low`, Float32Array.of(low * step)),
          scalar(`${name}/high`, Float32Array.of(high * step)),
        ]
        : [],
    ],
  };
}

/** int8 weights with a scale for each output, and sometimes a zero point of 0. */
function weights(numbers: Numbers, name: string, dims: readonly number[], axis: number): Part {
  const zeros = numbers.next() > 0;
  const data = Int8Array.from(
    { length: dims.reduce((product, size) => product * size, 1) },
    () => numbers.whole(-127, 127),
  );
  const scales = numbers.array(dims[axis]!).map((scale) => Math.abs(scale) / 100 + 0.001);
  return {
    nodes: [
      nodeOf(
        "DequantizeLinear",
        [`${name}/int8`, `${name}/scale`, ...zeros ? [`${name}/zero`] : []],
        [name],
        { axis: { int: axis } },
      ),
    ],
    initializers: [
      ...zeros
        ? [{ name: `${name}/zero`, dims: [dims[axis]!], data: new Int8Array(dims[axis]!) }]
        : [],
      { name: `${name}/int8`, dims, data },
      { name: `${name}/scale`, dims: [dims[axis]!], data: scales },
    ],
  };
}

/** int4 weights [inputs, outputs] with a scale for each block of an output. */
function blocks(
  numbers: Numbers,
  name: string,
  [inputs, outputs]: readonly [number, number],
  block: number,
): Part {
  const data = Int8Array.from({ length: inputs * outputs }, () => numbers.whole(-8, 7));
  const rows = Math.ceil(inputs / block);
  return {
    nodes: [nodeOf("DequantizeLinear", [`${name}/int4`, `${name}/scale`], [name], {
      axis: { int: 0 },
      block_size: { int: block },
    })],
    initializers: [
      { name: `${name}/int4`, dims: [inputs, outputs], data, elementType: "INT4" },
      { name: `${name}/scale`, dims: [rows, outputs], data: numbers.array(rows * outputs, 0.02) },
    ],
  };
}

const bias = (numbers: Numbers, name: string, length: number) => ({
  name,
  dims: [length],
  data: numbers.array(length),
});

async function compare(
  what: string,
  shape: readonly [number, number, number],
  parts: readonly Part[],
  numbers: Numbers,
  { tolerance, batches = [4, 1] }: { tolerance: number; batches?: readonly number[] },
): Promise<void> {
  const file = modelOf(
    shape,
    parts.flatMap(({ nodes }) => nodes),
    parts.flatMap(({ initializers }) => initializers),
    INT4_OPSET,
  );
  for (const batch of batches) {
    const dims = [batch, ...shape];
    const images = numbers.array(dims.reduce((product, size) => product * size, 1), 1);
    const expected = await answerOfOnnxRuntime(file, NAMES, images, dims, AS_IT_STANDS);
    const results: Float32Array[] = [];
    for (const build of BUILDS) {
      for (const division of [{}, DIVIDED]) {
        const options = { build, ...division };
        const runner = await leanRunner(file, NAMES, dims, expected.length / batch, options);
        results.push(runner.run(images, batch));
      }
    }
    const error = relativeError(results[0]!, expected);
    assert(error < tolerance, `${what}, batch ${batch}: ${error}`);
    // Whatever the processor, the engine and the number of threads, the same integers.
    for (const result of results) assertEquals(result, results[0], what);
  }
}

Deno.test("an int8 Conv on the input's 7 bits gives ONNX Runtime's numbers, the same on both builds", async () => {
  for (let seed = 1; seed <= 8; seed++) {
    const numbers = new Numbers(seed * 7919);
    const shape = [numbers.whole(1, 5), numbers.whole(5, 14), numbers.whole(5, 14)] as const;
    const outputs = numbers.whole(1, 20);
    const [rows, columns] = [numbers.whole(1, 5), numbers.whole(1, 5)];
    const parts = [
      rounded("x", 1 / 63, 64, false),
      weights(numbers, "w", [outputs, shape[0], rows, columns], 0),
      {
        nodes: [nodeOf("Conv", ["x/rounded", "w", "b"], ["conv"], {
          kernel_shape: { ints: [rows, columns] },
          strides: { ints: [numbers.whole(1, 3), numbers.whole(1, 3)] },
          pads: { ints: [0, 1, 2, 3].map(() => numbers.whole(0, 2)) },
        })],
        initializers: [bias(numbers, "b", outputs)],
      },
    ];
    await compare(`seed ${seed}`, shape, parts, numbers, { tolerance: 1e-5 });
  }
});

Deno.test("int4 products give ONNX Runtime's numbers for any number of inputs, outputs and blocks", async () => {
  for (let seed = 1; seed <= 16; seed++) {
    const numbers = new Numbers(seed * 15485863);
    const shape = [numbers.whole(1, 40), numbers.whole(1, 3), numbers.whole(1, 3)] as const;
    const inputs = shape[0] * shape[1] * shape[2];
    const [hidden, classes] = [4 * numbers.whole(1, 30), 2 * numbers.whole(1, 30)];
    const [first, second] = [0, 1].map(() => [16, 20, 32, 64, 128][numbers.whole(0, 4)]!);
    const parts: Part[] = [
      { nodes: [nodeOf("Flatten", ["x"], ["flat"], { axis: { int: 1 } })], initializers: [] },
      // Signed numbers, then those behind a ReLU, which the product in front stores in 7 bits.
      rounded("flat", 1 / 63, 64, true),
      blocks(numbers, "w1", [inputs, hidden], first!),
      {
        nodes: [
          nodeOf("MatMul", ["flat/rounded", "w1"], ["product1"]),
          nodeOf("Add", ["product1", "b1"], ["sum1"]),
          nodeOf("Relu", ["sum1"], ["relu"]),
        ],
        initializers: [bias(numbers, "b1", hidden)],
      },
      rounded("relu", 0.02, 0, true),
      blocks(numbers, "w2", [hidden, classes], second!),
      {
        nodes: [
          nodeOf("MatMul", ["relu/rounded", "w2"], ["product2"]),
          nodeOf("Add", ["product2", "b2"], ["sum2"]),
        ],
        initializers: [bias(numbers, "b2", classes)],
      },
    ];
    await compare(`seed ${seed}`, shape, parts, numbers, { tolerance: 2e-3, batches: [7, 2, 1] });
  }
});

Deno.test("an int8 network of Conv, pooling, LRN, groups, concat and MatMul gives ONNX Runtime's numbers", async () => {
  for (let seed = 1; seed <= 4; seed++) {
    const numbers = new Numbers(seed * 104729);
    const shape = [3, numbers.whole(12, 16), numbers.whole(12, 16)] as const;
    const [size, half] = [[...shape.slice(1)] as [number, number], { int: 2 }];
    const pooled = size.map((length) => Math.floor((length - 3) / 2) + 1);
    const flat = 16 * pooled[0]! * pooled[1]!;
    const relu = (name: string) => nodeOf("Relu", [name], [`${name}/relu`]);
    const conv = (input: string, name: string, pads: number, group = 1): OnnxNode =>
      nodeOf("Conv", [`${input}/rounded`, `${name}/w`, `${name}/b`], [name], {
        pads: { ints: [pads, pads, pads, pads] },
        group: { int: group },
      });
    const parts: Part[] = [
      rounded("x", 1 / 63, 64, false),
      weights(numbers, "c1/w", [8, 3, 3, 3], 0),
      {
        nodes: [
          conv("x", "c1", 1),
          relu("c1"),
          nodeOf("LRN", ["c1/relu"], ["n1"], { size: { int: 5 }, alpha: { float: 0.1 } }),
          nodeOf("MaxPool", ["n1"], ["p1"], {
            kernel_shape: { ints: [3, 3] },
            strides: { ints: [half.int, half.int] },
          }),
        ],
        initializers: [bias(numbers, "c1/b", 8)],
      },
      rounded("p1", 0.05, 0, true),
      weights(numbers, "c2/w", [8, 4, 3, 3], 0),
      // Stored as 7 bits at once, because nothing but the next Conv reads it.
      {
        nodes: [conv("p1", "c2", 1, 2), relu("c2")],
        initializers: [bias(numbers, "c2/b", 8)],
      },
      rounded("c2/relu", 0.1, 0, true),
      weights(numbers, "c3/w", [8, 8, 1, 1], 0),
      weights(numbers, "c4/w", [8, 8, 3, 3], 0),
      {
        nodes: [
          { ...conv("c2/relu", "c3", 0) },
          { ...conv("c2/relu", "c4", 1) },
          nodeOf("Concat", ["c3", "c4"], ["joined"], { axis: { int: 1 } }),
          nodeOf("Flatten", ["joined"], ["flat"], { axis: { int: 1 } }),
        ],
        initializers: [bias(numbers, "c3/b", 8), bias(numbers, "c4/b", 8)],
      },
      // Signed numbers in the middle of a network.
      rounded("flat", 0.2, 64, true),
      weights(numbers, "f/w", [flat, 10], 1),
      {
        nodes: [
          nodeOf("MatMul", ["flat/rounded", "f/w"], ["product"]),
          nodeOf("Add", ["product", "f/b"], ["sum"]),
        ],
        initializers: [bias(numbers, "f/b", 10)],
      },
    ];
    // A number at the middle of two steps may fall to either, where sums were rounded before.
    await compare(`seed ${seed}`, shape, parts, numbers, { tolerance: 2e-3 });
  }
});
