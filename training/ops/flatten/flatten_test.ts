import { assertEquals } from "@std/assert";
import { imageShape } from "../op.ts";
import { flatten } from "./flatten.ts";

Deno.test("flatten() makes one row and remembers the image", () => {
  const image = imageShape(6, 2, 3);
  assertEquals(flatten().outputShapes([image]), [
    { channels: 36, height: 1, width: 1, stride: 48, flattened: image },
  ]);
});

Deno.test("flatten() moves nothing and is a Flatten in ONNX", () => {
  const op = flatten();
  const { nodes } = op.toOnnx({
    name: "f",
    inputs: ["x"],
    outputs: ["y"],
    inputShapes: [],
    outputShapes: [],
    parameters: [],
  });
  assertEquals(nodes, [
    {
      opType: "Flatten",
      name: "f",
      inputs: ["x"],
      outputs: ["y"],
      attributes: { axis: { int: 1 } },
    },
  ]);
  assertEquals(op.backwardReads, { inputs: false, outputs: false });
});
