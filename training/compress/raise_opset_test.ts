import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { exportedModel } from "../../tests/fixtures/exported.ts";
import { decodeOnnx } from "../../shared/onnx/read.ts";
import { raiseOpset } from "./raise_opset.ts";

const model = decodeOnnx(exportedModel("alexnet-small"));

Deno.test("raiseOpset() asks for set 21, and leaves later ones", () => {
  assertEquals(raiseOpset(model), { ...model, opset: 21 });
  const later = { ...model, opset: 22 };
  assertStrictEquals(raiseOpset(later), later);
});

Deno.test("raiseOpset() refuses operators that mean something else in set 21", () => {
  const nodes = ["ReduceMean", "Split"].map((opType) => ({
    opType,
    name: "n",
    inputs: ["x"],
    outputs: ["y"],
    attributes: {},
  }));
  for (const node of nodes) {
    const changed = { ...model, nodes: [...model.nodes, node] };
    assertThrows(() => raiseOpset(changed), RangeError, `${node.opType} is not known to mean`);
  }
});
