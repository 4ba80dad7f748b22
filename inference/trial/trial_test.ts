// The real service in a process of its own, on real stores.
import { assert, assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { fixture } from "../fixtures/colours.ts";
import { coloursStore, type TemporaryStore } from "../fixtures/colours_store.ts";
import type { TrialReport } from "./trial.ts";

const PROGRAM = fromFileUrl(new URL("main.ts", import.meta.url));

async function trial(args: readonly string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", PROGRAM, ...args],
    env: { NO_COLOR: "1", TOPFIVE_API_KEYS: "set for another service" },
  }).output();
  const [printed, said] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, report: JSON.parse(printed || "null") as TrialReport, said: said! };
}

/** A store whose model asks itself about red.png. */
async function selfTestingStore(probability: number): Promise<TemporaryStore> {
  const image = (await fixture("red.png")).toBase64();
  const top = [{ index: 0, probability }];
  return await coloursStore({ selfTest: { image, top, tolerance: 0.05 } });
}

Deno.test("topfive try asks the self-test and the images of a folder, and measures", async () => {
  const { default: { probabilities } } = await import("../fixtures/colours_expected.json", {
    with: { type: "json" },
  });
  await using store = await selfTestingStore(probabilities["red.png"][0]!);
  const images = await Deno.makeTempDir();
  try {
    for (const name of ["red.png", "blue.jpg"]) {
      await Deno.writeFile(join(images, name), await fixture(name));
    }
    await Deno.writeTextFile(join(images, "notes.txt"), "no image");
    const { code, report } = await trial(
      ["colours@v1", "--store", store.folder, "--images", images, "--requests", "5"],
    );
    assertEquals([code, report.passed, report.selfTest], [0, true, "passed"]);
    assertEquals(report.images.map(({ file }) => file), ["blue.jpg", "red.png"]);
    assertEquals(report.images[1]!.predictions![0]!.index, 0);
    assertGreater(report.firstAnswerMs!, report.latencyMs!.p50);
    assert(report.latencyMs!.p95 >= report.latencyMs!.p50);
    if (Deno.build.os === "linux") assertGreater(report.peakMemory!, 50e6);
  } finally {
    await Deno.remove(images, { recursive: true });
  }
});

Deno.test("topfive try reports a model that the service refuses, with the service's reason", async () => {
  await using store = await selfTestingStore(0.01);
  const { code, report } = await trial(["colours", "--store", store.folder]);
  assertEquals([code, report.loaded, report.passed, report.timedOut], [1, false, false, false]);
  assertStringIncludes(report.reason!, "its self-test gives");
});

Deno.test("topfive try tells wrong arguments from a trial that cannot be made", async () => {
  await using store = await coloursStore();
  const misused = await trial(["--requests", "x", "colours"]);
  assertEquals(misused.code, 2);
  assertStringIncludes(misused.said, "--requests is x");
  const missing = await trial(["squares", "--store", store.folder]);
  assertEquals(missing.code, 3);
  assertStringIncludes(missing.said, "published there: colours");
  const flags = await trial(["colours", "--store", store.folder, "--", "--treads", "2"]);
  assertEquals(flags.code, 2);
  assertStringIncludes(flags.said, "--treads");
});
