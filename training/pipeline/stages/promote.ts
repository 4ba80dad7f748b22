import { readPointer } from "../../../shared/registry/pointer.ts";
import type { Stage } from "../stage.ts";

export interface PromoteOutput {
  /** The champion before. */
  readonly from: string | null;
}

/** Makes the version what services answer with, in the place of the one that it was compared with. */
export const promote: Stage<"promote"> = {
  name: "promote",
  inputs: ({ result }) => ({
    published: result("publish"),
    champion: result("evaluate").champion?.version ?? null,
  }),
  async run({ store, model, run, lease, result }) {
    const { version } = result("publish");
    const { champion } = result("evaluate");
    const from = champion?.version ?? null;
    const afterMove = champion?.move ?? 0;
    const pointer = await readPointer(store, model, "champion");
    if (pointer?.version === version && pointer.move === afterMove + 1) return { from };
    const reason = `run ${run.record.run} passed the gate`;
    const { by } = run.record;
    await lease.move({ alias: "champion", version, by, reason, from, afterMove });
    return { from };
  },
  describe: ({ from }) => from ? `in the place of ${from}` : "the first champion",
};
