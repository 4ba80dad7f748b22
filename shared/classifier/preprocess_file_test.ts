import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { PRESETS, readPreprocess } from "./preprocess_file.ts";

Deno.test("readPreprocess() turns a scale of 1 into the units of pixels", () => {
  const spec = readPreprocess("torchvision", { channels: 3, side: 224 });
  assertEquals([spec.side, spec.crop, spec.resize, spec.order], [256, 224, "crop", "rgb"]);
  for (const [index, mean] of [123.675, 116.28, 103.53].entries()) {
    assertAlmostEquals(spec.mean[index]!, mean, 1e-9);
  }
  assertAlmostEquals(spec.std[0]!, 58.395, 1e-9);
  const inception = readPreprocess("inception", { channels: 3, side: 299 });
  assertEquals([inception.mean, inception.std], [[127.5, 127.5, 127.5], [127.5, 127.5, 127.5]]);
});

Deno.test("readPreprocess() knows what every preset makes of a usual input", () => {
  for (const name of Object.keys(PRESETS)) {
    const spec = readPreprocess(name, { channels: 3, side: 224 });
    assertEquals([spec.crop, spec.mean.length, spec.std.length], [224, 3, 3], name);
  }
});

Deno.test("readPreprocess() refuses what does not fit the network's input", () => {
  const refused: [string, 1 | 3, number | null, string][] = [
    ['{"crop": 200}', 3, 224, "crop is 200, and the network takes 224"],
    ['{"side": 200}', 3, 224, "side is 200, less than the network's 224"],
    ['{"mean": [1, 2]}', 3, 224, "mean has 2 numbers for 3 channels"],
    ["{}", 3, null, "the network takes any size"],
    ['{"resize": "pad"}', 3, 224, "resize: "],
    ['{"sides": 200}', 3, 224, 'Unrecognized key: "sides"'],
    ["torchvison", 3, 224, "Cannot read the preprocessing"],
    ["caffe", 1, 224, "mean has 3 numbers for 1 channels"],
  ];
  for (const [file, channels, side, message] of refused) {
    assertThrows(() => readPreprocess(file, { channels, side }), SyntaxError, message);
  }
});
