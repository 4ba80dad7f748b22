import { assertEquals, assertRejects } from "@std/assert";
import { requireConditionalWrites } from "./conditional_writes.ts";
import { DirectoryStore } from "../../shared/object_store/directory.ts";
import type { ObjectBody, PutOptions } from "../../shared/object_store/object_store.ts";

/** As a store that knows one of the headers, or neither. */
class ForgetfulStore extends DirectoryStore {
  readonly #kept: (keyof PutOptions)[];

  constructor(root: string, kept: (keyof PutOptions)[]) {
    super(root);
    this.#kept = kept;
  }

  override put(key: string, body: ObjectBody, options: PutOptions = {}) {
    const kept = Object.entries(options).filter(([name]) =>
      this.#kept.includes(name as keyof PutOptions)
    );
    return super.put(key, body, Object.fromEntries(kept));
  }
}

Deno.test("requireConditionalWrites() refuses a store that keeps fewer than both conditions", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await requireConditionalWrites(new ForgetfulStore(folder, ["ifMatch", "ifNoneMatch"]));
    for (const kept of [["ifMatch"], ["ifNoneMatch"], []] as (keyof PutOptions)[][]) {
      const store = new ForgetfulStore(folder, kept);
      await assertRejects(() => requireConditionalWrites(store), Error, "does not keep If-");
      assertEquals(await Array.fromAsync(store.list("")), []);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
