// What needs no GPU: what came is looked at, and it goes no further. The rest is in tests/retrain.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { DirectoryStore } from "../../shared/object_store/directory.ts";
import { captured } from "../fixtures/captured.ts";
import { drawImages, inFolder } from "../fixtures/drawn_run.ts";
import { leaseKey } from "../pipeline/keys.ts";
import { Lease } from "../pipeline/lease/lease.ts";
import { retrainCommand } from "./retrain_command.ts";

const RULES = { minClassImages: 2, minSide: 16, testShare: 0.3, validationShare: 0.2 };

async function withArrivals(
  test: (given: {
    readonly store: DirectoryStore;
    readonly run: (...args: string[]) => ReturnType<typeof captured>;
  }) => Promise<void>,
): Promise<void> {
  await inFolder(async (path) => {
    await drawImages(path("images"));
    const store = new DirectoryStore(path("store"));
    for (const { name } of Deno.readDirSync(path("images/train"))) {
      for (const image of Deno.readDirSync(join(path("images/train"), name))) {
        const bytes = await Deno.readFile(join(path("images/train"), name, image.name));
        await store.put(`incoming/shapes/${name}/${image.name}`, bytes);
      }
    }
    const settings = { training: { model: "lenet5", batchSize: 4 }, images: RULES };
    await Deno.writeTextFile(path("settings.json"), JSON.stringify(settings));
    const common = ["--store", path("store"), "--work", path("work")];
    const run = (...args: string[]) =>
      captured(() => retrainCommand([...args, ...common, "--config", path("settings.json")]));
    await test({ store, run });
  });
}

const keysOf = (store: DirectoryStore) => Array.fromAsync(store.list(""), ({ key }) => key);

Deno.test("retrainCommand() --dry-run says what came and writes nothing into the store", async () => {
  await withArrivals(async ({ store, run }) => {
    await store.put("incoming/shapes/ball/broken.png", new TextEncoder().encode("no image"));
    await store.put("incoming/shapes/later.png", new TextEncoder().encode("without a label yet"));
    const before = await keysOf(store);
    const { code, stdout } = await run("shapes", "--dry-run", "--json");
    const foresight = JSON.parse(stdout);
    assertEquals([code, foresight.images, foresight.fresh], [0, 41, 41]);
    assertEquals(foresight.unlabelled, ["incoming/shapes/later.png"]);
    const broken = foresight.findings.find(({ rule }: { rule: string }) => rule === "unreadable");
    assertEquals(broken.files.map(({ key }: { key: string }) => key), [
      "incoming/shapes/ball/broken.png",
    ]);
    assertEquals(await keysOf(store), before);
    assertMatch((await run("shapes", "--dry-run")).stdout, /^41 images, 41 new, 0 gone, 1 without/);
  });
});

Deno.test("retrainCommand() stops at bad images with 5, keeps saying so, and goes on without them", async () => {
  await withArrivals(async ({ store, run }) => {
    for (let i = 0; i < 8; i++) {
      await store.put(`incoming/shapes/ball/bad${i}.png`, new TextEncoder().encode(`bad ${i}`));
    }
    const first = await run("shapes", "--json");
    const outcome = JSON.parse(first.stdout);
    assertEquals([first.code, outcome.state, outcome.worked], [5, "bad-data", true]);
    assertStringIncludes(
      outcome.reasons[0],
      "unreadable or too small: 16.7 % of the 48 new images",
    );
    const prefix = `models/shapes/runs/${outcome.run.run}/`;
    const page = new TextDecoder().decode((await store.get(`${prefix}page.html`))!.bytes);
    assertStringIncludes(page, "<code>incoming/shapes/ball/bad7.png</code>");
    const second = await run("shapes", "--json");
    assertEquals([second.code, JSON.parse(second.stdout).worked], [5, false]);
    // The eight are still new to the next run: what stopped was never accepted.
    for (let i = 0; i < 8; i++) await store.delete(`incoming/shapes/ball/bad${i}.png`);
    const { stdout } = await run("shapes", "--dry-run", "--json");
    assertEquals([JSON.parse(stdout).fresh, JSON.parse(stdout).gone], [40, 0]);
    assertEquals((await keysOf(store)).filter((key) => key.includes("/versions/")), []);
  });
});

Deno.test("retrainCommand() says who holds the lease with 4, and what is missing", async () => {
  await withArrivals(async ({ store, run }) => {
    const nothing = await run("others");
    assertEquals(nothing.code, 1);
    assertStringIncludes(
      nothing.stderr,
      "there is nothing below incoming/others/ (put images there",
    );
    const unsigned = await run("shapes", "--webhook", "https://example.org/");
    assertEquals(unsigned.code, 2);
    assertStringIncludes(unsigned.stderr, "TOPFIVE_WEBHOOK_SECRET is not set");
    await using _lease = await Lease.take({
      ...{ store, key: leaseKey("shapes"), model: "shapes", holder: "ann@there", seconds: 30 },
    });
    const held = await run("shapes", "--json");
    assertEquals([held.code, JSON.parse(held.stdout).holder], [4, "ann@there"]);
    assertMatch(held.stderr, /ann@there is at it, at least until \d{4}-.*Z unless it goes on/);
  });
});
