import { assert, assertEquals, assertLess } from "@std/assert";
import { coloursProbabilities, fixture } from "../fixtures/colours.ts";
import { startedApp } from "../fixtures/started_app.ts";

const folder = new URL("../../../shared/data/images/hostile/", import.meta.url);
const files = list(folder);

/** All of them together take one second; a bomb that was decoded would take ten (2026-11). */
const SLOWEST_MS = 3000;

Deno.test({
  name: "POST /v1/classify answers every hostile image, none by a fault of its own, within 3 s",
  ignore: files.length === 0,
  fn: async () => {
    await using service = await startedApp({ maxPixels: 50_000_000, maxBodyBytes: 10_000_000 });
    const statuses: Record<number, number> = {};
    for (const name of files) {
      const started = performance.now();
      const response = await service.post(await Deno.readFile(new URL(name, folder)));
      assertLess(performance.now() - started, SLOWEST_MS, name);
      const body = await response.json();
      assert([200, 400, 415, 422].includes(response.status), `${name}: ${JSON.stringify(body)}`);
      if (response.status === 200) assertEquals(body.predictions.length, 4, name);
      statuses[response.status] = (statuses[response.status] ?? 0) + 1;
    }
    assert((statuses[422] ?? 0) > 0 && (statuses[415] ?? 0) > 0, JSON.stringify(statuses));

    // A decoder that was left in a broken state would show here.
    for (const [name, expected] of Object.entries(coloursProbabilities)) {
      const { predictions } = await (await service.post(await fixture(name))).json();
      assertEquals(predictions[0].index, expected.indexOf(Math.max(...expected)), name);
    }
  },
});

function list(url: URL): string[] {
  try {
    return [...Deno.readDirSync(url)].map(({ name }) => name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
