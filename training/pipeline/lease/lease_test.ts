import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DirectoryStore } from "../../../shared/object_store/directory.ts";
import {
  type ObjectStore,
  PreconditionFailedError,
} from "../../../shared/object_store/object_store.ts";
import { moveAlias } from "../../../shared/registry/move_alias.ts";
import { readPointer } from "../../../shared/registry/pointer.ts";
import { withPets } from "../../fixtures/published.ts";
import { readHistory } from "../../registry/history.ts";
import { Lease, LeaseHeldError, LeaseLostError } from "./lease.ts";
import { type Intent, readLease } from "./lease_record.ts";

const KEY = "models/pets/retraining/lease.json";
const take = (store: ObjectStore, holder: string, seconds = 2) =>
  Lease.take({ store, key: KEY, model: "pets", holder, seconds });
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const intent = (given: Partial<Intent> & Pick<Intent, "version">): Intent => ({
  alias: "champion",
  by: "ann",
  reason: "better",
  from: null,
  afterMove: 0,
  ...given,
});

/** A holder whose process sleeps: it renews nothing and knows nothing of the time. */
class Sleeper implements ObjectStore {
  #wake = Promise.withResolvers<void>();
  asleep = false;

  constructor(readonly store: ObjectStore) {}
  wake() {
    this.asleep = false;
    this.#wake.resolve();
  }
  async #turn<T>(work: () => Promise<T>): Promise<T> {
    if (this.asleep) await this.#wake.promise;
    return await work();
  }
  get: ObjectStore["get"] = (...args) => this.#turn(() => this.store.get(...args));
  getIfChanged: ObjectStore["getIfChanged"] = (...args) =>
    this.#turn(() => this.store.getIfChanged(...args));
  getStream: ObjectStore["getStream"] = (...args) =>
    this.#turn(() => this.store.getStream(...args));
  head: ObjectStore["head"] = (...args) => this.#turn(() => this.store.head(...args));
  list: ObjectStore["list"] = (prefix) => this.store.list(prefix);
  put: ObjectStore["put"] = (...args) => this.#turn(() => this.store.put(...args));
  delete: ObjectStore["delete"] = (...args) => this.#turn(() => this.store.delete(...args));
}

Deno.test("Lease: one of many at once gets it, the others are told who and until when", async () => {
  await withPets(["v1"], async (store, folder) => {
    const holders = ["ann", "ben", "cat", "dan"];
    const taken = await Promise.allSettled(
      holders.map((holder) => take(new DirectoryStore(folder), holder)),
    );
    const won = taken.flatMap((each) => each.status === "fulfilled" ? [each.value] : []);
    assertEquals(won.length, 1);
    const { record } = (await readLease(store, KEY))!;
    for (const each of taken) {
      if (each.status === "fulfilled") continue;
      assert(each.reason instanceof LeaseHeldError, String(each.reason));
      assertEquals(each.reason.holder, record.holder);
      const seconds = (each.reason.until.getTime() - Date.now()) / 1000;
      assert(seconds > 1 && seconds <= 3.1, `${seconds}`);
    }
    // It is renewed as long as it is held, and given back at once.
    await sleep(3500);
    await assertRejects(() => take(store, "eve"), LeaseHeldError, `${record.holder} is at it`);
    await won[0]!.renew();
    await won[0]![Symbol.asyncDispose]();
    await using next = await take(store, "eve");
    assertEquals(next.token, won[0]!.token + 1);
  });
});

Deno.test("Lease: who lost it is told, and can move nothing", async () => {
  await withPets(["v1", "v2"], async (store) => {
    const sleeper = new Sleeper(store);
    const old = await take(sleeper, "old");
    sleeper.asleep = true;
    await sleep(3200);
    assertThrows(() => old.require(), LeaseLostError, "it was not renewed for 2 s");
    assert(old.signal.aborted);
    await using next = await take(store, "new");
    sleeper.wake();
    await assertRejects(() => old.move(intent({ version: "v1" })), LeaseLostError);
    await next.move(intent({ version: "v2" }));
    assertEquals((await readPointer(store, "pets", "champion"))?.version, "v2");
    await old[Symbol.asyncDispose]();
    await next.renew();
  });
});

Deno.test("Lease: a move that its holder slept through is done by the next, once", async () => {
  await withPets(["v1", "v2"], async (store) => {
    await moveAlias(store, "pets", "champion", { version: "v1", by: "ann", reason: "" });
    const sleeper = new Sleeper(store);
    const old = await take(sleeper, "old");
    const moving = old.move(intent({ version: "v2", from: "v1", afterMove: 1 }));
    // As soon as the decision is written down it falls asleep, before it moves anything.
    while ((await readLease(store, KEY))?.record.intent === null) await sleep(1);
    sleeper.asleep = true;
    await sleep(3200);
    await using next = await take(store, "new");
    assertEquals((await readPointer(store, "pets", "champion"))?.version, "v2");
    assertEquals((await readPointer(store, "pets", "previous"))?.version, "v1");
    // Back to v1: the sleeper's move may not be done a second time, though it began from v1.
    await next.move(intent({ version: "v1", from: "v2", afterMove: 2 }));
    sleeper.wake();
    await assertRejects(() => moving, LeaseLostError);
    assertEquals((await readPointer(store, "pets", "champion"))?.version, "v1");
    assertEquals((await readHistory(store, "pets", "champion")).length, 3);
    await old[Symbol.asyncDispose]();
  });
});

Deno.test("Lease.move() refuses where another moved the alias since it was decided", async () => {
  await withPets(["v1", "v2"], async (store) => {
    await using lease = await take(store, "ann");
    await moveAlias(store, "pets", "champion", { version: "v1", by: "ben", reason: "" });
    await assertRejects(
      () => lease.move(intent({ version: "v2" })),
      PreconditionFailedError,
      "it names v1, not nothing (moved by ben",
    );
    await lease.renew();
    assertEquals((await readLease(store, KEY))!.record.intent, null);
  });
});
