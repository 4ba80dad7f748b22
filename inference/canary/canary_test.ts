import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { openStore } from "../../shared/object_store/open_store.ts";
import {
  type CanaryReport,
  CanaryReportSchema,
  type CanarySetting,
} from "../../shared/registry/canary.ts";
import { moveAlias } from "../../shared/registry/move_alias.ts";
import { publishColours } from "../fixtures/colours_store.ts";
import { flatPictures } from "../fixtures/flat_pictures.ts";
import { startedApp } from "../fixtures/started_app.ts";

const WHO = { by: "a test", reason: "it needs a canary" };
const SHADOW = { mode: "shadow" } as const;
const PERMUTED = ["blue", "red", "white", "green"];

type Service = Awaited<ReturnType<typeof startedApp>>;

/** Publishes v2 beside the champion v1 and has it meet requests. */
async function begin(
  service: Service,
  setting: CanarySetting,
  changes: Parameters<typeof publishColours>[1] = {},
  network = "colours.onnx",
): Promise<void> {
  const store = openStore(service.folder);
  await moveAlias(store, "colours", "champion", { version: "v1", ...WHO });
  await publishColours(service.folder, { version: "v2", ...changes }, network);
  await moveAlias(store, "colours", "candidate", { version: "v2", canary: setting, ...WHO });
  await service.canaries.poll();
}

async function reportOf(service: Service): Promise<CanaryReport> {
  const response = await service.app.request("/v2/models/colours/canary");
  assertEquals(response.headers.get("Cache-Control"), "no-store");
  return CanaryReportSchema.parse(await response.json());
}

type Counts = NonNullable<CanaryReport["canary"]>;

/** Comparisons that came to an end, one way or another. */
function compared({ compared: { agreed, differed, newClass }, dropped }: Counts): number {
  return agreed + differed + newClass + dropped;
}

async function countsOf(service: Service, enough: (counts: Counts) => boolean): Promise<Counts> {
  for (let tries = 0; tries < 2000; tries++) {
    const { canary } = await reportOf(service);
    if (canary && enough(canary)) return canary;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error(`Not enough after 4 s: ${JSON.stringify(await reportOf(service))}`);
}

/**
 * Asks about each image in turn, and waits for the comparison behind each answer; every answer must
 * be a good one. Gives the answers.
 */
async function ask(
  service: Service,
  images: readonly Uint8Array<ArrayBuffer>[],
  isCompared: (version: string) => boolean = () => false,
) {
  const answers: { version: string; label: string; etag: string }[] = [];
  let done = compared(await countsOf(service, () => true));
  for (const image of images) {
    const response = await service.post(image);
    const body = await response.json();
    assertEquals(response.status, 200, JSON.stringify(body));
    const { version, predictions: [{ label }] } = body;
    answers.push({ version, label, etag: response.headers.get("ETag")! });
    if (isCompared(version)) {
      done++;
      await countsOf(service, (counts) => compared(counts) === done);
    }
  }
  return answers;
}

Deno.test("a canary answers its share of the images, always the same ones", async () => {
  await using service = await startedApp();
  await begin(service, { mode: "share", share: 0.3 });
  const images = flatPictures(80);
  const byCandidate = (version: string) => version === "v2";
  const first = await ask(service, images, byCandidate);
  const candidates = first.filter(({ version }) => version === "v2").length;
  assert(candidates > 10 && candidates < 40, `${candidates} of 80`);
  assertEquals(await ask(service, images, byCandidate), first, "versions and ETags stay");
  const { champion, candidate, ...counts } = await countsOf(service, () => true);
  assertEquals([champion, candidate], ["v1", "v2"]);
  assertEquals(counts.candidates.answered, 2 * candidates);
  assertEquals(counts.champions.answered, 2 * (80 - candidates));
  assertEquals(counts.champions.asked, 160, "and once more for each answer of the candidate");
  assertEquals(counts.compared, { agreed: 2 * candidates, differed: 0, newClass: 0 });
  assert(counts.candidates.milliseconds!.p50 > 0);
  const named = await (await service.post(images[0]!, "?version=v1")).json();
  assertEquals(named.version, "v1", "who names a version gets it");
});

Deno.test("a shadow answers nobody, and shows where it differs", async () => {
  await using service = await startedApp();
  await begin(service, SHADOW, { labels: PERMUTED });
  const answers = await ask(service, flatPictures(12), () => true);
  assertEquals(
    new Set(answers.map(({ version, label }) => `${version} ${label}`)),
    new Set(["v1 red"]),
  );
  const counts = await countsOf(service, () => true);
  assertEquals(counts.compared, { agreed: 0, differed: 12, newClass: 0 });
  const local = { remoteAddr: { hostname: "127.0.0.1" } };
  const metrics = await (await service.app.request("/metrics", {}, local)).text();
  assert(metrics.includes('topfive_canary_compared_images{model="colours",outcome="differed"} 12'));
  assertEquals([counts.candidates.asked, counts.candidates.answered], [12, 0]);
});

Deno.test("a shadow's answer of a class that the champion does not know is no difference", async () => {
  await using service = await startedApp();
  await begin(service, SHADOW, { labels: ["crimson", "green", "blue", "white"] });
  await ask(service, flatPictures(5), () => true);
  const counts = await countsOf(service, () => true);
  assertEquals(counts.compared, { agreed: 0, differed: 0, newClass: 5 });
});

Deno.test("a shadow is left out while requests wait, and cached answers are not compared", async () => {
  await using service = await startedApp({ cacheEntries: 100, queueCapacity: 64 });
  await begin(service, SHADOW);
  const images = flatPictures(40);
  const responses = await Promise.all(images.map((image) => service.post(image)));
  assertEquals(new Set(responses.map(({ status }) => status)), new Set([200]));
  for (const response of responses) await response.body?.cancel();
  const counts = await countsOf(service, (counts) => compared(counts) === 40);
  assert(counts.dropped > 30, `${counts.dropped} dropped`);
  await ask(service, images);
  assertEquals(compared(await countsOf(service, () => true)), 40);
});

Deno.test("a candidate that fails on an image is counted, and the champion answers", async () => {
  await using service = await startedApp();
  await begin(service, { mode: "share", share: 0.99 }, {}, "colours_failing.onnx");
  const red = await ask(service, flatPictures(5), (version) => version === "v2");
  const blue = await ask(service, flatPictures(10, "blue"));
  assertEquals(
    new Set(blue.map(({ version, label }) => `${version} ${label}`)),
    new Set(["v1 blue"]),
  );
  const { candidates } = await countsOf(service, () => true);
  assert(red.some(({ version }) => version === "v2"));
  assert(candidates.errors >= 9, `${candidates.errors} errors`);
  const local = { remoteAddr: { hostname: "127.0.0.1" } };
  const metrics = await (await service.app.request("/metrics", {}, local)).text();
  for (
    const sample of [
      `topfive_canary_state{model="colours",state="running"} 1`,
      `topfive_canary_images_total{model="colours",role="candidate",outcome="error"} ${candidates.errors}`,
    ]
  ) assertStringIncludes(metrics, sample);
});

Deno.test("a candidate that dies leaves every answer to the champion", async () => {
  await using service = await startedApp();
  await begin(service, { mode: "share", share: 0.99 });
  service.host.find("colours", "v2").retire();
  const answers = await ask(service, flatPictures(10));
  assertEquals(new Set(answers.map(({ version }) => version)), new Set(["v1"]));
  assertEquals((await reportOf(service)).state, "ended");
});

Deno.test("a candidate that cannot be loaded is refused, with the reason", async () => {
  await using service = await startedApp();
  const wrongInput = { input: { name: "data", shape: [-1, 3, 16, 16] as [-1, 3, 16, 16] } };
  await begin(service, { mode: "share", share: 0.5 }, wrongInput);
  await ask(service, flatPictures(3));
  const report = await reportOf(service);
  assertEquals(report.state, "refused");
  assertStringIncludes(report.reason, "does not fit its manifest");
});

Deno.test("a canary that is stopped gives its memory back, one that is promoted answers on", async () => {
  for (const end of ["stop", "promote"]) {
    await using service = await startedApp();
    const store = openStore(service.folder);
    await begin(service, { mode: "share", share: 0.5 });
    const candidate = service.host.find("colours", "v2");
    if (end === "promote") await moveAlias(store, "colours", "champion", { version: "v2", ...WHO });
    else await moveAlias(store, "colours", "candidate", { version: "v2", ...WHO });
    await service.host.poll();
    await service.canaries.poll();
    const report = await reportOf(service);
    assertEquals([report.state, report.canary], ["none", null]);
    assertEquals(candidate.alive, end === "promote");
    const versions = service.host.list()[0]!.versions;
    assertEquals(versions, end === "promote" ? ["v2"] : ["v1"]);
    const body = await (await service.post(flatPictures(1)[0]!)).json();
    assertEquals(body.version, end === "promote" ? "v2" : "v1");
  }
});

Deno.test("a canary begins anew when its candidate or its champion changes", async () => {
  await using service = await startedApp();
  const store = openStore(service.folder);
  await begin(service, SHADOW);
  await ask(service, flatPictures(3), () => true);
  await publishColours(service.folder, { version: "v3" });
  await moveAlias(store, "colours", "candidate", { version: "v3", canary: SHADOW, ...WHO });
  await service.canaries.poll();
  const other = await countsOf(service, () => true);
  assertEquals([other.candidate, other.champions.asked], ["v3", 0]);
  await moveAlias(store, "colours", "champion", { version: "v2", ...WHO });
  await service.host.poll();
  await service.canaries.poll();
  const again = await countsOf(service, () => true);
  assertEquals([again.champion, again.candidate, again.move], ["v2", "v3", other.move]);
  assertEquals(service.host.list()[0]!.versions.toSorted(), ["v2", "v3"]);
});
