import { assertEquals, assertRejects } from "@std/assert";
import { DirectoryStore } from "../../shared/object_store/directory.ts";
import { PreconditionFailedError } from "../../shared/object_store/object_store.ts";
import { moveAlias } from "../../shared/registry/move_alias.ts";
import { readLivePointer, readPointer } from "../../shared/registry/pointer.ts";
import { DECISION, withPets } from "../fixtures/published.ts";
import { promote, rollback } from "./champion.ts";
import { readHistory } from "./history.ts";

async function named(store: DirectoryStore): Promise<Record<string, string | undefined>> {
  const version = async (alias: string) => (await readPointer(store, "pets", alias))?.version;
  return {
    latest: await version("latest"),
    champion: await version("champion"),
    previous: await version("previous"),
    live: (await readLivePointer(store, "pets"))?.version,
  };
}

Deno.test("promote() changes what is live; publishing alone does so only before", async () => {
  await withPets(["v1", "v2"], async (store) => {
    assertEquals((await named(store)).live, "v2");
    await promote(store, "pets", "v1", DECISION);
    assertEquals(await named(store), {
      latest: "v2",
      champion: "v1",
      previous: undefined,
      live: "v1",
    });
    const pointer = await promote(store, "pets", "v2", DECISION, { from: "v1" });
    assertEquals([pointer.from, pointer.version, pointer.move], ["v1", "v2", 2]);
    assertEquals(await named(store), { latest: "v2", champion: "v2", previous: "v1", live: "v2" });
  });
});

Deno.test("promote() refuses what is not published and what another one changed", async () => {
  await withPets(["v1", "v2"], async (store) => {
    const unknown = () => promote(store, "pets", "v9", DECISION);
    await assertRejects(unknown, RangeError, "version v9 is not published");
    await promote(store, "pets", "v1", { ...DECISION, by: "ann" });
    await assertRejects(
      () => promote(store, "pets", "v2", DECISION, { from: null }),
      PreconditionFailedError,
      "it names v1, not nothing (moved by ann; look again)",
    );
    assertEquals((await named(store)).champion, "v1");
  });
});

Deno.test("rollback() goes back, and forward again, and to a named version", async () => {
  await withPets(["v1", "v2", "v3"], async (store) => {
    await assertRejects(() => rollback(store, "pets", DECISION), RangeError, "ever promoted");
    await promote(store, "pets", "v1", DECISION);
    await assertRejects(() => rollback(store, "pets", DECISION), RangeError, "first champion");
    await promote(store, "pets", "v2", DECISION);
    await rollback(store, "pets", DECISION);
    assertEquals(await named(store), { latest: "v3", champion: "v1", previous: "v2", live: "v1" });
    await rollback(store, "pets", DECISION);
    assertEquals((await named(store)).champion, "v2");
    await rollback(store, "pets", DECISION, "v3");
    assertEquals((await named(store)).previous, "v2");
  });
});

Deno.test("promote() by many at once leaves one chain of moves without a gap", async () => {
  await withPets(["v1", "v2", "v3"], async (store, folder) => {
    const versions = ["v1", "v2", "v3", "v1", "v2", "v3"];
    await Promise.all(
      versions.map((version, index) =>
        promote(new DirectoryStore(folder), "pets", version, { by: `writer ${index}`, reason: "" })
      ),
    );
    const moves = (await readHistory(store, "pets", "champion")).reverse();
    assertEquals(moves.map(({ move }) => move), [1, 2, 3, 4, 5, 6]);
    assertEquals(moves.map(({ from }) => from), [
      null,
      ...moves.slice(0, -1).map((m) => m.version),
    ]);
    assertEquals(moves.map(({ by }) => by).sort(), versions.map((_, index) => `writer ${index}`));
  });
});

Deno.test("a move whose mover died before writing it down is in the history all the same", async () => {
  await withPets(["v1", "v2"], async (store, folder) => {
    await promote(store, "pets", "v1", DECISION);
    const lost = `${folder}/models/pets/history/champion/00000001.json`;
    await Deno.remove(lost);
    assertEquals((await readHistory(store, "pets", "champion")).map(({ move }) => move), [1]);
    await moveAlias(store, "pets", "champion", { version: "v2", ...DECISION });
    assertEquals((await Deno.stat(lost)).isFile, true);
    assertEquals((await readHistory(store, "pets", "champion")).map(({ move }) => move), [2, 1]);
  });
});

Deno.test("promote() after so many moves sees a champion that went away and came back", async () => {
  await withPets(["v1", "v2"], async (store) => {
    const { move } = await promote(store, "pets", "v1", DECISION, { afterMove: 0 });
    await promote(store, "pets", "v2", DECISION);
    await rollback(store, "pets", { by: "ann", reason: "" });
    await assertRejects(
      () => promote(store, "pets", "v2", DECISION, { from: "v1", afterMove: move }),
      PreconditionFailedError,
      "it was moved meanwhile, to v1 (by ann; look again)",
    );
  });
});
