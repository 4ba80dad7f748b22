import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { type Config, ConfigSchema, describeConfig, makeConfig } from "./config.ts";
import { MODEL_NAMES, MODELS } from "./models/models.ts";
import { FLAG_NAMES, isSwitch, optionOf } from "./settings.ts";

Deno.test("makeConfig() gives each model its own complete defaults", () => {
  for (const model of MODEL_NAMES) {
    const config = makeConfig(model, {});
    assertEquals(config, { model, ...MODELS[model].defaults });
    assertEquals(ConfigSchema.parse(JSON.parse(JSON.stringify(config))), config);
  }
});

Deno.test("makeConfig() puts given values over the defaults, numbers also as text", () => {
  const config = makeConfig("lenet5", {
    epochs: "2",
    batchSize: 16,
    microBatch: "4",
    precision: "f16",
    learningRate: "1e-3",
    schedule: "step",
    warmupSteps: "0",
    dropAt: "0.25, 0.5",
    patience: "7",
    minimumGain: "0.002",
    drops: "1",
    layers: { fc3: { bias: { constantRate: 0.002 } } },
    momentum: "0",
    activation: "tanh",
    decay: "0",
    randomCrop: true,
    flip: true,
    colorNoise: "0.1",
    mean: "image",
    standardize: false,
    side: "32",
    seed: "0",
  });
  const expected: Config = {
    model: "lenet5",
    epochs: 2,
    batchSize: 16,
    microBatch: 4,
    precision: "f16",
    layers: { fc3: { bias: { constantRate: 0.002 } } },
    learningRate: 0.001,
    schedule: "step",
    warmupSteps: 0,
    dropAt: [0.25, 0.5],
    patience: 7,
    minimumGain: 0.002,
    drops: 1,
    momentum: 0,
    lrn: true,
    overlap: true,
    crossTower: true,
    activation: "tanh",
    dropout: true,
    decay: 0,
    randomCrop: true,
    flip: true,
    colorNoise: 0.1,
    mean: "image",
    standardize: false,
    side: 32,
    seed: 0,
  };
  assertEquals(config, expected);
});

Deno.test("makeConfig() leaves the default where a value is undefined", () => {
  const { epochs } = makeConfig("lenet5", { epochs: undefined });
  assertEquals(epochs, MODELS.lenet5.defaults.epochs);
});

Deno.test("makeConfig() names the option, the value and what was expected", () => {
  const cases: [Parameters<typeof makeConfig>[1], string][] = [
    [{ microBatch: "24" }, "--micro-batch is 24, no divisor of the 64 images of a batch"],
    [
      { layers: { con2: {} } },
      "con2: lenet5 has no such layer (did you mean conv2?)",
    ],
    [
      { layers: { fc3: { weigth: {} } } },
      'layers.fc3 is {"weigth":{}} (Unrecognized key: "weigth")',
    ],
    [
      { layers: { fc3: { bias: { momentum: 1 } } } },
      "layers.fc3.bias.momentum is 1 (expected a number from 0 to below 1)",
    ],
    [{ lrn: false }, "--no-lrn: lenet5 has no such part (it has activation)"],
    [{ activation: "sigmoid" }, "--activation is sigmoid (expected relu or tanh)"],
    [{ epochs: "x" }, "--epochs is x (expected a whole number, at least 1)"],
    [{ epochs: "1.5" }, "--epochs is 1.5 (expected a whole number, at least 1)"],
    [{ epochs: "" }, "--epochs is  (expected"],
    [{ epochs: "Infinity" }, "--epochs is Infinity (expected"],
    [{ batchSize: "0" }, "--batch-size is 0 (expected a whole number, at least 1)"],
    [{ batchSize: "-8" }, "--batch-size is -8 (expected"],
    [{ learningRate: "0" }, "--learning-rate is 0 (expected a number above 0)"],
    [{ learningRate: "fast" }, "--learning-rate is fast (expected a number above 0)"],
    [{ schedule: "linear" }, "--schedule is linear (expected constant, cosine, step, plateau)"],
    [{ dropAt: "0.9,0.5" }, "--drop-at is 0.9,0.5 (expected rising shares of the run"],
    [{ dropAt: "0.5,x" }, "--drop-at is 0.5,x (expected rising shares of the run"],
    [{ dropAt: "1" }, "--drop-at is 1 (expected rising shares of the run"],
    [{ patience: "0" }, "--patience is 0 (expected a whole number, at least 1)"],
    [{ mean: "pixel" }, "--mean is pixel (expected channel or image)"],
    [{ colorNoise: "-0.1" }, "--color-noise is -0.1 (expected a number, at least 0)"],
    [{ warmupSteps: "-1" }, "--warmup-steps is -1 (expected a whole number, at least 0)"],
    [{ momentum: "1" }, "--momentum is 1 (expected a number from 0 to below 1)"],
    [{ momentum: "-0.1" }, "--momentum is -0.1 (expected"],
    [{ decay: "-1e-4" }, "--decay is -1e-4 (expected a number, at least 0)"],
    [{ side: "5000" }, "--side is 5000 (expected a whole number from 1 to 4096)"],
    [{ side: "27" }, "--side is 27, smaller than the 28 pixels that lenet5 sees"],
    [{ seed: "-1" }, "--seed is -1 (expected a whole number, at least 0)"],
    [{ seed: "9007199254740992" }, "--seed is 9007199254740992 (expected"],
  ];
  for (const [given, message] of cases) {
    assertThrows(() => makeConfig("lenet5", given), SyntaxError, `Cannot train: ${message}`);
  }
});

Deno.test("makeConfig() names every wrong value at once, each once", () => {
  const { message } = assertThrows(
    () => makeConfig("alexnet", { epochs: "0", decay: "much" }),
    SyntaxError,
  );
  assertMatch(message, /^Cannot train: --epochs is 0 \([^;]*\); --decay is much \([^;]*\)$/);
});

Deno.test("makeConfig() refuses a model that there is not", () => {
  for (const model of ["vgg", "", "toString"]) {
    assertThrows(
      () => makeConfig(model, {}),
      SyntaxError,
      `no such model (expected ${MODEL_NAMES.join(", ")})`,
    );
  }
});

Deno.test("ConfigSchema refuses a config with a field missing or unknown", () => {
  const { seed: _, ...config } = makeConfig("lenet5", {});
  assert(!ConfigSchema.safeParse(config).success);
  assert(!ConfigSchema.safeParse({ ...config, seed: 1, colour: "red" }).success);
});

Deno.test("optionOf() writes names as they are typed", () => {
  assertEquals(["batchSize", "seed", "randomCrop"].map(optionOf), [
    "batch-size",
    "seed",
    "random-crop",
  ]);
});

Deno.test("describeConfig() has a line for every setting with the model's default", () => {
  const lines = describeConfig("alexnet").split("\n");
  assertEquals(lines.length, FLAG_NAMES.length);
  for (const [i, name] of FLAG_NAMES.entries()) {
    const line = lines[i]!;
    const option = isSwitch(name) ? `  --[no-]${optionOf(name)} ` : `  --${optionOf(name)} X `;
    assert(line.startsWith(option), line);
    assert(line.endsWith(` (${MODELS.alexnet.defaults[name]})`), line);
    assert(!line.includes("undefined"), line);
  }
});
