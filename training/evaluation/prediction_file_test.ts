import { assertEquals } from "@std/assert";
import { memorySplit } from "../dataset/dataset.ts";
import { inFolder } from "../fixtures/drawn_run.ts";
import { writePredictions } from "./prediction_file.ts";

const PREDICTIONS = {
  split: memorySplit(new Uint8Array(2), Uint32Array.of(2, 0), ["a/1.png", 'b/"2", x.png']),
  classes: ["cat", "dog, big", "eel"],
  probabilities: Float32Array.of(0.25, 0.5, 0.25, 1, 0, 0),
};

Deno.test("writePredictions() writes CSV that other tools read", async () => {
  await inFolder(async (path) => {
    await Deno.mkdir(path(""), { recursive: true });
    await writePredictions(path("out.csv"), PREDICTIONS);
    assertEquals(
      await Deno.readTextFile(path("out.csv")),
      "index,file,label,rank,label_probability,top1,probability1,top2,probability2,top3,probability3\n" +
        '0,a/1.png,eel,3,0.25,"dog, big",0.5,cat,0.25,eel,0.25\n' +
        '1,"b/""2"", x.png",cat,1,1,cat,1,"dog, big",0,eel,0\n',
    );
  });
});

Deno.test("writePredictions() writes a JSON line an image", async () => {
  await inFolder(async (path) => {
    await writePredictions(path("out.jsonl"), PREDICTIONS);
    const lines = (await Deno.readTextFile(path("out.jsonl"))).trimEnd().split("\n");
    assertEquals(lines.map((line) => JSON.parse(line)), [
      {
        ...{ index: 0, file: "a/1.png", label: "eel", rank: 3, labelProbability: 0.25 },
        predictions: [
          { label: "dog, big", probability: 0.5 },
          { label: "cat", probability: 0.25 },
          { label: "eel", probability: 0.25 },
        ],
      },
      {
        ...{ index: 1, file: 'b/"2", x.png', label: "cat", rank: 1, labelProbability: 1 },
        predictions: [
          { label: "cat", probability: 1 },
          { label: "dog, big", probability: 0 },
          { label: "eel", probability: 0 },
        ],
      },
    ]);
  });
});
