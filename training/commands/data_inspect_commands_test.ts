// topfive data stats, data show and data fetch, on a small drawn set.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { decodeImage } from "../../shared/image/decode.ts";
import { captured } from "../fixtures/captured.ts";
import { drawImages, inFolder } from "../fixtures/drawn_run.ts";
import { dataFetchCommand } from "./data_fetch_command.ts";
import { dataShowCommand } from "./data_show_command.ts";
import { dataStatsCommand } from "./data_stats_command.ts";

Deno.test("dataStatsCommand() prints a line a class, and the same as JSON", async () => {
  await inFolder(async (path) => {
    await drawImages(path("images"));
    const { code, stdout } = await captured(() => dataStatsCommand([path("images")]));
    assertEquals(code, 0);
    assertStringIncludes(stdout, "60 images of 10 classes, 96 x 96 x 3 (1.7 MB)");
    assert(/^ball +4 +1 +1$/m.test(stdout), stdout);
    assert(/^all +40 +10 +10$/m.test(stdout), stdout);
    const json = await captured(() => dataStatsCommand([path("images"), "--side=32", "--json"]));
    const summary = JSON.parse(json.stdout);
    assertEquals([summary.side, summary.images.train, summary.classes.length], [32, 40, 10]);
    assertEquals(summary.colors.eigen.vectors.length, 3);
    assertEquals(summary.colors.meanImage, undefined);
  });
});

Deno.test("dataShowCommand() writes a sheet of a row a class", async () => {
  await inFolder(async (path) => {
    await drawImages(path("images"));
    const sheet = path("sheet.png");
    const given = [path("images"), "--out", sheet, "--rows", "3", "--columns", "5"];
    const { code, stdout, stderr } = await captured(() => dataShowCommand(given));
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, "15 images; rows from above: ball, crescent, fish");
    const { width, height } = await decodeImage(await Deno.readFile(sheet));
    assertEquals([width, height], [5 * 66 + 2, 3 * 66 + 2]);

    const first = await Deno.readFile(sheet);
    assertEquals((await captured(() => dataShowCommand(given))).code, 0);
    assertEquals(await Deno.readFile(sheet), first);
    await captured(() => dataShowCommand([...given, "--step", "1"]));
    assert((await Deno.readFile(sheet)).some((byte, i) => byte !== first[i]), "no other draws");
  });
});

Deno.test("dataStatsCommand() and dataShowCommand() answer wrong arguments with the reason", async () => {
  const cases: [(args: string[]) => Promise<number>, string[], string][] = [
    [dataStatsCommand, [], "no folder given"],
    [dataStatsCommand, ["a", "--side", "0"], "--side is 0 (expected a whole number"],
    [dataShowCommand, ["a"], "--out is missing"],
    [dataShowCommand, ["a", "--out", "b", "--rows", "none"], "--rows is none (expected"],
    [dataShowCommand, ["a", "--out", "b", "--colour-noise", "1"], "did you mean --color-noise?"],
    [dataShowCommand, ["a", "--out", "b", "--color-noise", "-1"], "--color-noise is -1 (expected"],
    [dataFetchCommand, [], "no set given (expected mnist, cifar10"],
    [dataFetchCommand, ["minst"], "did you mean mnist?"],
  ];
  for (const [command, args, message] of cases) {
    const { code, stderr } = await captured(() => command(args));
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, message);
  }
});

const data = fromFileUrl(new URL("../../../shared/data", import.meta.url));
const absent = await Deno.stat(data).then(() => false, () => true);

Deno.test({
  name: "dataFetchCommand() takes MNIST from a mirror folder, and says what comes next",
  ignore: absent,
  fn: async () => {
    await inFolder(async (path) => {
      const given = ["mnist", "--mirror", data, "--cache", path("cache")];
      const { code, stdout, stderr } = await captured(() => dataFetchCommand([...given, "--json"]));
      assertEquals(code, 0, stderr);
      const folder = path("cache/mnist");
      const next = `./topfive train --model lenet5 --data ${folder} --out runs/mnist`;
      assertEquals(JSON.parse(stdout), { name: "mnist", path: folder, next });
      assertEquals([...Deno.readDirSync(folder)].length, 4);
      // The same files again: nothing is fetched, so no mirror is needed.
      const again = await captured(() =>
        dataFetchCommand(["mnist", "--mirror", path("none"), "--cache", path("cache")])
      );
      assertEquals([again.code, again.stderr], [0, ""]);
      assertStringIncludes(again.stdout, `Next: ${next}`);
    });
  },
});
