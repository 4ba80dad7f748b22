import { assertEquals, assertThrows } from "@std/assert";
import { ablationRows, raceRows, readOptions, stepsTo } from "./ablations.ts";

const epoch = (step: number, trainingError: number, top1Error = trainingError) => ({
  step,
  trainingLoss: trainingError * 2,
  trainingError,
  validation: { top1Error, images: 1000 },
});

Deno.test("stepsTo() lies between the epochs around the error", () => {
  const records = [epoch(100, 0.6), epoch(200, 0.4), epoch(300, 0.2), epoch(400, 0.3)];
  assertEquals(stepsTo(0.25, records), 275);
  assertEquals(stepsTo(0.4, records), 200);
  assertEquals(stepsTo(0.7, records), 100);
  assertEquals(stepsTo(0.1, records), undefined);
});

Deno.test("ablationRows() compares the last epoch with that of the whole net", () => {
  const rows = ablationRows([
    { name: "as published", flags: [], records: [epoch(10, 0.9), epoch(20, 0.5, 0.55)] },
    { name: "no LRN", flags: ["--no-lrn"], published: "1.4", records: [epoch(20, 0.5, 0.58)] },
  ]);
  assertEquals(rows, [
    ["as published", "20", "1.000", "50.0", "55.0", "0.0", ""],
    ["no LRN", "20", "1.000", "50.0", "58.0", "3.0", "1.4"],
  ]);
});

Deno.test("raceRows() sets each beside the fastest ReLU, and says what never arrived", () => {
  const race = (activation: string, rate: number, steps: number | undefined) => ({
    ...{ activation, rate, steps, records: [epoch(500, 0.24)] },
  });
  const rows = raceRows([
    race("relu", 0.001, 100),
    race("relu", 0.002, 50),
    race("tanh", 0.001, 300),
    race("tanh", 0.002, undefined),
  ]);
  assertEquals(rows.map((row) => row.slice(3)), [
    ["100", "2 x"],
    ["50", "1 x"],
    ["300", "6 x"],
    ["not reached", ""],
  ]);
});

Deno.test("readOptions() of ablations asks for data and reads the budget", () => {
  assertEquals(readOptions(["--data", "d", "--quick"]).epochs, 2);
  assertEquals(readOptions(["--data", "d", "--epochs", "7"]).epochs, 7);
  assertEquals(readOptions(["--data", "d", "--race-epochs", "9"]).raceEpochs, 9);
  assertThrows(() => readOptions([]), SyntaxError, "--data is missing");
  assertThrows(() => readOptions(["--data", "d", "--epochs", "x"]), SyntaxError, "--epochs is x");
  assertThrows(() => readOptions(["--dta", "d"]), SyntaxError, "did you mean --data?");
});
