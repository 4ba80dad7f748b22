// What people say about a service's answers is what retraining finds, in a folder and in a bucket.
import { assertEquals } from "@std/assert";
import { fixture } from "../inference/fixtures/colours.ts";
import { coloursStore, publishColours } from "../inference/fixtures/colours_store.ts";
import { openStore } from "../shared/object_store/open_store.ts";
import { labelOf, listArrivals } from "../training/pipeline/images/arrivals.ts";
import { TEST_BUCKET } from "./object_store/open_test_bucket.ts";
import { hasS3Server, S3_SECRET, S3_USER, S3Server } from "./object_store/s3_server.ts";
import { TopfiveProcess } from "./topfive_process.ts";

/** Corrects two answers of a service over the store; gives what retraining finds there. */
async function correctAndList(address: string) {
  await using service = new TopfiveProcess(".", [
    ...["serve", "--store", address, "--model", "colours", "--port", "0", "--feedback"],
  ]);
  const [, origin] = await service.printed("stdout", /serves colours \S+ at (http:\/\/\S+)/);
  for (const [name, label] of [["red.png", "green"], ["blue.jpg", "white"], ["red.png", "blue"]]) {
    const url = new URL(`/v1/feedback?label=${label}`, origin);
    const answer = await fetch(url, { method: "POST", body: await fixture(name!) });
    const { stored } = await answer.json();
    assertEquals([answer.status, stored], label === "blue" ? [200, false] : [201, true]);
  }
  const store = openStore(address);
  const { images, unlabelled, ignored } = await listArrivals(store, "incoming/colours/");
  const found = await Promise.all(images.map(async (image) => {
    const { bytes } = (await store.get(image.key))!;
    return { label: await labelOf(store, image), bytes, ending: image.key.split(".").at(-1) };
  }));
  return { found: found.sort((a, b) => a.ending! < b.ending! ? -1 : 1), unlabelled, ignored };
}

async function expected() {
  return {
    found: [
      { label: { label: "white" }, bytes: await fixture("blue.jpg"), ending: "jpg" },
      { label: { label: "green" }, bytes: await fixture("red.png"), ending: "png" },
    ],
    unlabelled: [],
    ignored: [],
  };
}

Deno.test("retraining finds in a folder what people said to the service", async () => {
  await using store = await coloursStore();
  assertEquals(await correctAndList(store.folder), await expected());
});

Deno.test({
  name: "retraining finds in a bucket what people said to the service",
  ignore: !hasS3Server,
  async fn() {
    await using server = await S3Server.start(TEST_BUCKET);
    const address = `s3://${TEST_BUCKET}/team?endpoint=${server.endpoint}`;
    const keys = { AWS_ACCESS_KEY_ID: S3_USER, AWS_SECRET_ACCESS_KEY: S3_SECRET };
    for (const [name, value] of Object.entries(keys)) Deno.env.set(name, value);
    try {
      await publishColours(address);
      assertEquals(await correctAndList(address), await expected());
    } finally {
      for (const name of Object.keys(keys)) Deno.env.delete(name);
    }
  },
});
