import { registerModel } from "../../../shared/model_registry.ts";
import { readPointer } from "../../../shared/registry/pointer.ts";
import { readSigningKey, signVersion } from "../../registry/sign.ts";
import type { Stage, StageContext } from "../stage.ts";
import { readExported } from "./export.ts";
import { refusals } from "./gate.ts";

export interface PublishOutput {
  readonly version: string;
  /** What points to it now. */
  readonly alias: "latest" | "candidate";
}

/**
 * Registers the version with what was decided about it. `latest` names it where it may be promoted;
 * `candidate` where it was refused: services that find no champion answer with the latest.
 */
export const publish: Stage<"publish"> = {
  name: "publish",
  inputs: ({ result }) => ({ exported: result("export"), decision: result("gate") }),
  async run(context) {
    const { store, model, run: { record }, signingKey, lease, result } = context;
    const { weights, manifest } = await readExported(context);
    const decision = result("gate");
    const champion = result("evaluate").champion?.version ?? null;
    await lease.renew();
    const { version } = await registerModel(store, {
      weights,
      manifest: {
        ...manifest,
        gate: {
          promote: decision.promote,
          champion,
          run: record.run,
          reasons: decision.promote
            ? decision.checks.map(({ reason }) => reason)
            : refusals(decision),
        },
      },
    });
    if (signingKey) await signVersion(store, model, version, await readSigningKey(signingKey));
    const alias = decision.promote ? "latest" : "candidate";
    const reason = decision.promote ? "passed the gate" : refusals(decision).join("; ");
    await moveOnce(context, alias, version, reason);
    return { version, alias };
  },
  describe: ({ version, alias }) =>
    alias === "latest"
      ? `published as ${version}`
      : `registered as ${version}, which is "candidate"`,
};

/** Points an alias at the version, unless an earlier attempt did. */
async function moveOnce(
  { store, model, run, lease }: StageContext,
  alias: string,
  version: string,
  reason: string,
): Promise<void> {
  const pointer = await readPointer(store, model, alias);
  if (pointer?.version === version) return;
  await lease.move({
    alias,
    version,
    by: run.record.by,
    reason,
    from: pointer?.version ?? null,
    afterMove: pointer?.move ?? 0,
  });
}
