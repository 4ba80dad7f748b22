/** The networks that are timed, and AlexNet in other widths. */
import type { Graph } from "../../../training/graph/graph.ts";
import { alexnetGraph } from "../../../training/models/alexnet_layers.ts";
import { heInit } from "../../../training/models/init.ts";
import { MODELS } from "../../../training/models/models.ts";
import { INPUTS, type StepRequest } from "./step_protocol.ts";

/** @throws {RangeError} on a width of another network than alexnet. */
export function networkOf({ net, width }: Pick<StepRequest, "net" | "width">): Graph {
  if (width === 1) return MODELS[net].build(INPUTS[net][2]);
  if (net !== "alexnet") throw new RangeError(`Cannot build ${net} in width ${width}`);
  return alexnetOfWidth(width);
}

/** alexnet's layers with this share of its channels and hidden units: multiples of a quarter. */
function alexnetOfWidth(width: number): Graph {
  const k3 = { kernel: [3, 3] as const, pads: [1, 1, 1, 1] as const };
  const k5 = { kernel: [5, 5] as const, pads: [2, 2, 2, 2] as const };
  const [c1, c2, c3, c5, hidden] = [96, 256, 384, 256, 4096].map((count) => count * width) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return alexnetGraph({
    name: `alexnet x ${width}`,
    crop: 224,
    convs: [
      {
        outChannels: c1,
        kernel: [11, 11],
        strides: [4, 4],
        pads: [0, 0, 3, 3],
        weightInit: heInit(3 * 121),
      },
      { outChannels: c2, ...k5, group: 2, weightInit: heInit(c1 / 2 * 25) },
      { outChannels: c3, ...k3, weightInit: heInit(c2 * 9) },
      { outChannels: c3, ...k3, group: 2, weightInit: heInit(c3 / 2 * 9) },
      { outChannels: c5, ...k3, group: 2, weightInit: heInit(c3 / 2 * 9) },
    ],
    dense: [
      { outputs: hidden, weightInit: heInit(c5 * 36) },
      { outputs: hidden, weightInit: heInit(hidden) },
      { outputs: 1000, weightInit: heInit(hidden) },
    ],
    lrn: { size: 5, alpha: 1e-4, beta: 0.75, bias: 2, towers: 2 },
    dropout: 0.5,
    firstRelu: "behind pooling",
    apart: { conv2: c2, fc6: hidden, fc7: hidden / 2 },
  });
}
