import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { captured } from "../fixtures/captured.ts";
import { inFolder, writeRun } from "../fixtures/drawn_run.ts";
import { loadRun } from "../load_run.ts";
import { decodeOnnx } from "../../shared/onnx/read.ts";
import { VERSION } from "../version.ts";
import { exportCommand } from "./export_command.ts";

const run = (...args: string[]) => captured(() => exportCommand(args));

Deno.test("exportCommand() --help says what the file takes and gives", async () => {
  const { code, stdout } = await run("--help");
  assertEquals(code, 0);
  assertStringIncludes(stdout, 'input "input" [N, channels, height, width]');
});

Deno.test("exportCommand() answers wrong arguments with 2 and the reason", async () => {
  const cases: [string[], string][] = [
    [[], "expected one run folder and --onnx FILE"],
    [["run"], "expected one run folder and --onnx FILE"],
    [["a", "b", "--onnx", "x"], "expected one run folder and --onnx FILE"],
    [["run", "--onnx"], "--onnx has no value"],
    [["run", "--onxn", "x"], "unknown option --onxn (did you mean --onnx?)"],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await run(...args);
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, message);
  }
});

Deno.test("exportCommand() writes every weight, the labels and the preprocessing", async () => {
  await inFolder(async (path) => {
    const classes = ["cat", 'a "quoted" dog', "größer"];
    await writeRun(path("run"), { classes });
    const { code, stdout } = await run(path("run"), "--onnx", path("out.onnx"));
    assertEquals([code, stdout], [0, `${path("out.onnx")}: 0.2 MB`]);

    const { checkpoint, preprocess } = await loadRun(path("run"));
    const model = decodeOnnx(await Deno.readFile(path("out.onnx")));
    const weights = new Map(model.initializers.map(({ name, data }) => [name, data]));
    for (const [name, values] of checkpoint.parameters) {
      assertEquals(weights.get(name), values, name);
    }
    assertEquals(JSON.parse(model.metadata.labels!), classes);
    assertEquals(JSON.parse(model.metadata.preprocess!), preprocess);
    assertEquals([model.producerName, model.producerVersion], ["topfive", VERSION]);
    assertEquals(model.inputs, [{ name: "input", shape: ["N", 1, 28, 28] }]);
    assertEquals(model.outputs, [{ name: "probabilities", shape: ["N", 3] }]);
  });
});

Deno.test("exportCommand() names what is missing: the run or the folder to write to", async () => {
  await inFolder(async (path) => {
    await writeRun(path("run"));
    const place = await run(path("run"), "--onnx", path("no/out.onnx"));
    assertEquals(place.code, 1);
    assertStringIncludes(place.stderr, `there is no folder ${path("no")}`);
    const source = await run(path("other"), "--onnx", path("out.onnx"));
    assertEquals(source.code, 1);
    assertStringIncludes(source.stderr, "no run.json in it");
    assert(!(await Deno.stat(path("out.onnx")).then(() => true, () => false)));
  });
});
