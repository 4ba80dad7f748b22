/** Layers, parameters and multiply-adds against PyTorch's and the published counts. */
import { assert, assertEquals } from "@std/assert";
import { type Graph, multiplyAdds, nodeMultiplyAdds, parameterCount } from "../graph/graph.ts";
import { alexnet } from "./alexnet.ts";
import { alexnetOwt } from "./alexnet_owt.ts";
import { alexnetSmall } from "./alexnet_small.ts";
import { cifar10EighteenPercent } from "./cifar10_18pct.ts";
import { lenet5 } from "./lenet5.ts";
import { MODEL_NAMES, MODELS } from "./models.ts";
import { AS_PUBLISHED, type Variant, VARIANT_NAMES } from "./variant.ts";

interface LayerTable {
  readonly parameters: number;
  readonly multiplyAdds: number;
  readonly layers: readonly {
    readonly name: string;
    readonly output: number[];
    readonly weight: number[];
    readonly parameters: number;
    readonly multiplyAdds: number;
  }[];
}

const published: [string, Graph][] = [
  ["alexnet", alexnet.build(1000)],
  ["alexnet_paper", MODELS["alexnet-paper"].build(1000)],
  ["alexnet_apart", alexnet.build(1000, { ...AS_PUBLISHED, crossTower: false })],
  ["alexnet_owt", alexnetOwt.build(1000)],
  ["alexnet_small", alexnetSmall.build(10)],
  ["cifar10_quick", MODELS["cifar10-quick"].build(10)],
  ["cifar10_18pct", cifar10EighteenPercent.build(10)],
  ["cifar10_13pct", MODELS["cifar10-13pct"].build(10)],
  ["cifar10_13pct", MODELS["cifar10-11pct"].build(10)],
  ["lenet5", lenet5.build(10)],
];

for (const [name, graph] of published) {
  Deno.test(`${graph.name} has the layers of ${name}, parameters and multiply-adds`, async () => {
    const url = new URL(`../../tests/fixtures/${name}_shapes.json`, import.meta.url);
    const table: LayerTable = JSON.parse(await Deno.readTextFile(url));
    const weighted = graph.nodes.filter((node) => node.parameters.length > 0);
    assertEquals(weighted.map((node) => node.name), table.layers.map((layer) => layer.name));
    for (const [index, node] of weighted.entries()) {
      const expected = table.layers[index]!;
      const { channels, height, width } = node.outputs[0]!.shape;
      const output = node.op.type === "Gemm" ? [channels] : [channels, height, width];
      assertEquals(output, expected.output, node.name);
      assertEquals([...node.parameters[0]!.shape], expected.weight, node.name);
      assertEquals(nodeMultiplyAdds(node), expected.multiplyAdds, node.name);
    }
    assertEquals(parameterCount(graph), table.parameters);
    assertEquals(multiplyAdds(graph), table.multiplyAdds);
  });
}

Deno.test("alexnet has 60,965,224 parameters and 724,406,816 multiply-adds", () => {
  assertEquals(parameterCount(alexnet.build(1000)), 60_965_224);
  assertEquals(multiplyAdds(alexnet.build(1000)), 724_406_816);
});

Deno.test("alexnet-owt has torchvision's 61,100,840 parameters and 714.2 M multiply-adds", () => {
  assertEquals(parameterCount(alexnetOwt.build(1000)), 61_100_840);
  assertEquals(multiplyAdds(alexnetOwt.build(1000)), 714_188_480);
});

Deno.test("cifar10-18pct has 89,578 parameters and 12.3 M multiply-adds", () => {
  assertEquals(parameterCount(cifar10EighteenPercent.build(10)), 89_578);
  assertEquals(multiplyAdds(cifar10EighteenPercent.build(10)), 12_298_240);
});

Deno.test("alexnet-small costs about a hundredth of alexnet", () => {
  const share = multiplyAdds(alexnetSmall.build(10)) / multiplyAdds(alexnet.build(1000));
  assert(share < 0.02, `${share}`);
});

Deno.test("cifar10-quick has the 145,578 parameters of Caffe's edition", () => {
  assertEquals(parameterCount(MODELS["cifar10-quick"].build(10)), 145_578);
});

Deno.test("alexnet without overlap has the same sizes, without cross-links about as many weights", () => {
  const weights = (change: Partial<Variant>) =>
    parameterCount(alexnet.build(1000, { ...AS_PUBLISHED, ...change }));
  assertEquals(weights({ overlap: false }), 60_965_224);
  // 48 -> 160 filters of conv2 a tower, 4,096 and 2,048 hidden units a tower.
  const apart = 34_944 + 2 * 160 * (48 * 25 + 1) + 2 * 192 * (160 * 9 + 1) + 663_936 + 442_624 +
    2 * 4096 * (4608 + 1) + 2 * 2048 * (4096 + 1) + 4_097_000;
  assertEquals(weights({ crossTower: false }), apart);
});

for (const name of MODEL_NAMES) {
  Deno.test(`${name} changes in each of its variants, and in none that it does not name`, () => {
    const { build, classes, variants } = MODELS[name];
    const others: Variant = {
      lrn: false,
      overlap: false,
      crossTower: false,
      activation: "tanh",
      dropout: false,
    };
    const describe = (graph: Graph) =>
      graph.nodes.map(({ name, op, inputs, outputs }) => [
        name,
        op.type,
        outputs.map(({ shape }) => shape),
        // Windows of pooling show in the ONNX node alone.
        op.type.endsWith("Pool") && op.toOnnx({
          name,
          inputs: [],
          outputs: [],
          inputShapes: inputs.map(({ shape }) => shape),
          outputShapes: [],
          parameters: [],
        }).nodes[0]!.attributes,
      ]);
    const published = JSON.stringify(describe(build(classes)));
    for (const part of VARIANT_NAMES) {
      const changed = JSON.stringify(
        describe(build(classes, { ...AS_PUBLISHED, [part]: others[part] })),
      );
      assertEquals(changed !== published, variants.includes(part), part);
    }
  });
}
