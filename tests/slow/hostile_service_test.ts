// The real service in a process of its own against hostile and damaged images: every one is answered in
// time, and the process stays within its memory. About a minute.
import { assert, assertEquals, assertLess } from "@std/assert";
import { fixture } from "../../inference/fixtures/colours.ts";
import { coloursStore } from "../../inference/fixtures/colours_store.ts";
import { encodePng } from "../../inference/png.ts";
import { ServiceProcess } from "../../inference/trial/service_process.ts";
import { residentBytes } from "../resident_memory.ts";
import { mutate } from "./fuzz/mutate.ts";
import { readSeeds } from "./fuzz/seeds.ts";

const IMAGES = new URL("../../../shared/data/images/", import.meta.url);
const INPUTS = 20_000;
const CLIENTS = 8;
const DEADLINE_MS = 10_000;
/** Deno, the engine and two decoders with what small images leave them at, bytes. */
const USUAL = 600e6;
/** Besides, two images of the pixel limit at once, at 10 bytes a pixel. */
const MOST = USUAL + 2 * 10 * 8192 * 6144;

/** Answers that say what is wrong with an image, or what it shows. */
const FAIR = [200, 400, 415, 422];

Deno.test({
  name: "topfive serve answers hostile and 20,000 damaged images in time and within its memory",
  ignore: !exists(IMAGES),
  fn: async () => {
    await using store = await coloursStore();
    await using service = await ServiceProcess.start(["--store", store.folder, "--queue", "64"]);
    const url = await service.ready(30_000);
    const { post, statuses, slowest } = watched(url);
    const resident: number[] = [];
    const measure = async () => {
      const bytes = await residentBytes(service.pid);
      resident.push(bytes);
      return bytes;
    };

    const hostile = readSeeds(new URL("hostile/", IMAGES), Infinity);
    for (let round = 0; round < 3; round++) {
      await inParallel(hostile.length, async (index) => await post(hostile[index]!));
      await measure();
    }

    const seeds = readSeeds(IMAGES, 40_000);
    await inParallel(INPUTS, async (number) => {
      await post(mutate(seeds, number));
      if (number % 1000 === 0) assertLess(await measure(), USUAL);
    });
    const afterFuzz = await measure();

    // As many pixels as are taken, from a file of half a megabyte, four at once.
    const [width, height] = [8192, 6144];
    const large = encodePng({
      width,
      height,
      channels: 3,
      data: new Uint8Array(width * height * 3),
    });
    const sampling = setInterval(() => void measure(), 50);
    await Promise.all(Array.from({ length: 4 }, () => post(large)));
    clearInterval(sampling);
    const peak = Math.max(...resident);
    assertLess(peak, MOST);
    // Their decoders are replaced; what they held goes back to the system.
    const red = await fixture("red.png");
    for (let i = 0; i < 20; i++) assertEquals(await post(red), 200);
    const afterLarge = await measure();
    const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
    console.log(
      statuses,
      `slowest ${Math.round(slowest())} ms; resident after the damaged images ${
        megabytes(afterFuzz)
      }, ` +
        `at most ${megabytes(peak)} with large ones, ${megabytes(afterLarge)} after them`,
    );
    assertLess(afterLarge, USUAL);
    assertLess(slowest(), DEADLINE_MS);
    assertEquals(Object.keys(statuses).filter((status) => !FAIR.includes(Number(status))), []);
    assert((statuses[200] ?? 0) > 1000 && (statuses[422] ?? 0) > 1000, JSON.stringify(statuses));
  },
});

function watched(url: string) {
  const statuses: Record<number, number> = {};
  let slowest = 0;
  const post = async (body: Uint8Array): Promise<number> => {
    const started = performance.now();
    const init = { method: "POST", body: body as Uint8Array<ArrayBuffer> };
    const response = await fetch(`${url}v1/classify`, init);
    await response.body?.cancel();
    slowest = Math.max(slowest, performance.now() - started);
    statuses[response.status] = (statuses[response.status] ?? 0) + 1;
    return response.status;
  };
  return { post, statuses, slowest: () => slowest };
}

async function inParallel(
  count: number,
  work: (number: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const run = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: CLIENTS }, run));
}

function exists(url: URL): boolean {
  try {
    return Deno.statSync(url).isDirectory;
  } catch {
    return false;
  }
}
