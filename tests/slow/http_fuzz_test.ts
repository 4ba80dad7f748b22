// Ten thousand malformed requests against the real service: no fault, no growth. Two to three minutes.
// TOPFIVE_FUZZ_SEED and TOPFIVE_FUZZ_INPUTS make others.
import { assert, assertEquals } from "@std/assert";
import { coloursStore } from "../../inference/fixtures/colours_store.ts";
import { fixture } from "../../inference/fixtures/colours.ts";
import { ServiceProcess } from "../../inference/trial/service_process.ts";
import { makeInput } from "../http_fuzz/requests.ts";
import { fuzz } from "../http_fuzz/run.ts";
import { residentBytes } from "../resident_memory.ts";

const SEED = Number(Deno.env.get("TOPFIVE_FUZZ_SEED") ?? 2);
const INPUTS = Number(Deno.env.get("TOPFIVE_FUZZ_INPUTS") ?? 10_000);
const ROUNDS = 5;
/** Bytes; decoders, JSON and buffers reach their size in the first round. */
const MOST_GROWTH = 100e6;

Deno.test(`topfive serve takes ${INPUTS} malformed requests of seed ${SEED} without fault or growth`, async () => {
  const red = await fixture("red.png");
  await using store = await coloursStore();
  await using service = await ServiceProcess.start(["--store", store.folder]);
  const url = await service.ready(30_000);
  const resident: number[] = [];
  const each = INPUTS / ROUNDS;
  for (let round = 0; round < ROUNDS; round++) {
    const make = (number: number) => makeInput(SEED, round * each + number, red);
    const { statuses, faults, slowestMs } = await fuzz(url, each, make, red);
    assertEquals(faults, []);
    resident.push(await residentBytes(service.pid));
    console.log(statuses, `slowest ${Math.round(slowestMs)} ms, ${resident.at(-1)! / 1e6} MB`);
  }
  assert(resident.at(-1)! - resident[0]! < MOST_GROWTH, `${resident}`);
});
