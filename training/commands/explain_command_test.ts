import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { decodeImage } from "../../shared/image/decode.ts";
import { captured } from "../fixtures/captured.ts";
import { drawImages, inFolder, writeRun } from "../fixtures/drawn_run.ts";
import { explainCommand } from "./explain_command.ts";

const run = (...args: string[]) => captured(() => explainCommand(args));
const IMAGE = "images/test/ball/000000.png";

Deno.test("explainCommand() answers wrong arguments with 2 and the reason", async () => {
  const cases: [string[], string][] = [
    [[], "expected one image, --run RUN and --out FILE"],
    [["a.png", "b.png", "--run", "r", "--out", "o.png"], "expected one image"],
    [["a.png", "--run", "r", "--out", "o.jpg"], "--out is o.jpg (expected a name that ends in"],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await run(...args);
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, message);
  }
});

Deno.test("explainCommand() draws what counted beside the picture, as PNG and as SVG", async () => {
  await inFolder(async (path) => {
    await drawImages(path("images"));
    await writeRun(path("run"));
    const out = path("out.png");
    const { code, stdout } = await run(path(IMAGE), "--run", path("run"), "--out", out);
    assertEquals(code, 0);
    assertEquals(stdout.split("\n").length, 6, stdout);
    const { width, height, data, channels } = await decodeImage(await Deno.readFile(out));
    // Three squares of 28 pixels, each ten times as large, and two gaps.
    assertEquals([width, height, channels], [3 * 280 + 2 * 8, 280, 3]);
    const heat = Array.from({ length: 28 }, (_, i) => data[(140 * width + 288 + i * 10) * 3]!);
    assert(new Set(heat).size > 5, `the heat map is flat: ${heat}`);

    const svg = path("out.svg");
    const options = ["--run", path("run"), "--out", svg, "--class", "star", "--json"];
    const asked = await run(path(IMAGE), ...options);
    assertEquals(asked.code, 0, asked.stderr);
    const { explained, predictions } = JSON.parse(asked.stdout);
    assertEquals([explained, predictions.length], ["star", 5]);
    const text = await Deno.readTextFile(svg);
    for (const { label } of predictions) assertStringIncludes(text, `>${label}</text>`);
    assertStringIncludes(text, "which pixels speak for star");
    assert(!/https?:/.test(text.replace("http://www.w3.org/2000/svg", "")));
  });
});

Deno.test("explainCommand() refuses a class that the network does not know", async () => {
  await inFolder(async (path) => {
    await drawImages(path("images"));
    await writeRun(path("run"));
    const { code, stderr } = await run(
      ...[path(IMAGE), "--run", path("run"), "--out", path("o.png"), "--class", "cat"],
    );
    assertEquals(code, 1);
    assertStringIncludes(stderr, "Cannot explain cat: no such class (expected ball, ");
  });
});
