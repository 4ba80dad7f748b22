import { assert, assertEquals, assertThrows } from "@std/assert";
import { join } from "node:path";
import { readRetrainArguments, RETRAIN_HELP } from "./retrain_options.ts";

Deno.test("readRetrainArguments() puts flags over the file over the network's settings", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = join(folder, "pets.json");
    const training = { model: "lenet5", epochs: 4, learningRate: 0.5 };
    await Deno.writeTextFile(file, JSON.stringify({ training, images: { minSide: 7 } }));
    const given = readRetrainArguments(["pets", "--store", "s", "--config", file, "--epochs", "9"]);
    assertEquals(given.model, "pets");
    const { training: used, images, gate, from } = given.settings;
    assertEquals([used.model, used.epochs, used.learningRate, used.batchSize], [
      ...["lenet5", 9, 0.5, 64],
    ]);
    assertEquals([images.minSide, images.testShare, gate.minTestImages, from], [
      ...[7, 0.2, 200, "champion"],
    ]);
    await Deno.writeTextFile(file, JSON.stringify({ images: { minSize: 7 } }));
    const wrong = () => readRetrainArguments(["pets", "--store", "s", "--config", file]);
    assertThrows(wrong, SyntaxError, "minSize");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("readRetrainArguments() says what is wrong", () => {
  const cases: [string[], string][] = [
    [[], "expected one MODEL"],
    [["pets"], "--store is missing"],
    [["pets", "--store", "s", "--epochs", "0"], "--epochs is 0 (expected a whole number"],
    [["pets", "--store", "s", "--from", "zero"], "from"],
    [["pets", "--store", "s", "--lease-seconds", "1"], "--lease-seconds is 1 (expected a number"],
    [["pets", "--store", "s", "--config", "no.json"], "Cannot retrain by no.json"],
    [["pets", "--store", "s", "--stor", "s"], "did you mean --store?"],
  ];
  for (const [args, message] of cases) {
    assertThrows(() => readRetrainArguments(args), SyntaxError, message);
  }
});

Deno.test("the help of topfive retrain describes every setting", () => {
  for (const line of RETRAIN_HELP.split("\n")) assert(line.length <= 130, line);
  for (const name of ["testShare", "lookAlikeBits", "top1Margin", "maxLatencyMs"]) {
    assert(new RegExp(`^  ${name} +\\S.+ \\(.+\\)$`, "m").test(RETRAIN_HELP), name);
  }
});
