import { pairAnswers } from "../gate/answers.ts";
import type { GateDecision } from "../gate/decision.ts";
import { decide } from "../gate/gate.ts";
import type { Stage } from "../stage.ts";
import { readAnswers } from "./evaluate.ts";

export type GateOutput = GateDecision;

/** Decides whether the candidate may take the champion's place. */
export const gate: Stage<"gate"> = {
  name: "gate",
  inputs: ({ settings, result }) => ({
    evaluated: result("evaluate"),
    tried: result("try"),
    policy: settings.gate,
  }),
  async run({ store, settings, result }) {
    const { champion, classes, answers: key } = result("evaluate");
    const answers = await readAnswers(store, key);
    return decide({
      answers: pairAnswers(answers.images, {
        champion: champion && { classes: champion.classes, ranks: answers.champion! },
        candidate: { classes, ranks: answers.candidate },
      }),
      championClasses: champion?.classes ?? null,
      candidateClasses: classes,
      trial: result("try"),
    }, settings.gate);
  },
  describe: (decision) =>
    decision.promote
      ? "the candidate may be promoted"
      : `refused: ${refusals(decision).join("; ")}`,
};

/** Why the candidate was refused; none where it was not. */
export function refusals({ checks }: GateDecision): string[] {
  return checks.filter(({ passed }) => !passed).map(({ reason }) => reason);
}
