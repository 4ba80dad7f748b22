import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type ImageAnswer, pairAnswers } from "./answers.ts";
import { type GateDecision, GateDecisionSchema } from "./decision.ts";
import { decide, type GateInput } from "./gate.ts";
import { type GatePolicy, GatePolicySchema } from "./policy.ts";

const POLICY = GatePolicySchema.parse({});
const WELL = {
  loadFailure: null,
  selfTestFailure: null,
  peakMemoryBytes: 300e6,
  latencyMs: 20,
};

/** `count` images of a class with the ranks that both models gave its label. */
function images(
  label: string,
  count: number,
  championRank: number | null,
  candidateRank: number | null,
): ImageAnswer[] {
  return Array.from(
    { length: count },
    (_, i) => ({ image: `${label}/${i}`, label, championRank, candidateRank }),
  );
}

const CLASSES = ["a", "b", "c", "d", "e", "f"];

/** 1,200 images of six classes, 80 % right by both. */
function alike(): ImageAnswer[] {
  return CLASSES.flatMap((name) => [...images(name, 160, 0, 0), ...images(name, 40, 2, 2)]);
}

function input(answers: ImageAnswer[], changes: Partial<GateInput> = {}): GateInput {
  return {
    ...{ answers, championClasses: CLASSES, candidateClasses: CLASSES, trial: WELL },
    ...changes,
  };
}

function failures(given: GateInput, policy: GatePolicy = POLICY): string[] {
  const decision = decide(given, policy);
  assertEquals(GateDecisionSchema.parse(JSON.parse(JSON.stringify(decision))), decision);
  const failed = decision.checks.filter(({ passed }) => !passed).map(({ name }) => name);
  assertEquals(decision.promote, failed.length === 0);
  return failed;
}

function reasonsOf({ checks }: GateDecision): string {
  return checks.map(({ reason }) => reason).join("\n");
}

Deno.test("decide() promotes an equal and a better candidate, and says why", () => {
  assertEquals(failures(input(alike())), []);
  const better = alike().map((a) => ({ ...a, candidateRank: 0 }));
  const decision = decide(input(better), POLICY);
  assert(decision.promote);
  const text = reasonsOf(decision);
  assertStringIncludes(text, "top-1: 100.00 % right, champion 80.00 % on the same 1200 images");
  assertStringIncludes(text, "at most 2.00 % worse is shown");
  assertEquals(
    decision.checks.map(({ name }) => name),
    [
      ...["test-images", "known-classes", "top-1", "top-5", "each-class"],
      ...["loads", "self-test", "memory", "latency"],
    ],
  );
});

Deno.test("decide() refuses a candidate that answers as if its labels were shuffled", () => {
  const shuffled = alike().map((a, i) => ({ ...a, candidateRank: i % 6 }));
  assertEquals(failures(input(shuffled)), ["top-1", "top-5", "each-class"]);
  const text = reasonsOf(decide(input(shuffled), POLICY));
  assertStringIncludes(text, "it is not shown to be at most 2.00 % worse");
});

Deno.test("decide() refuses what too few images leave open, and says how many would do", () => {
  const few = CLASSES.flatMap((name) => [
    ...images(name, 38, 0, 0),
    ...images(name, 1, 0, 2),
    ...images(name, 1, 2, 0),
  ]);
  assertEquals(failures(input(few)), ["top-1"]);
  const reason = decide(input(few), POLICY).checks.find(({ name }) => name === "top-1")!.reason;
  assertStringIncludes(reason, "about 381 images would have shown it");
  const more = [1, 2].flatMap(() => few);
  assertEquals(failures(input(more)), []);
});

Deno.test("decide() decides nothing on a test set below the least size", () => {
  const better = alike().map((a) => ({ ...a, candidateRank: 0 }));
  assertEquals(failures(input(better.slice(0, 200))), []);
  assertEquals(failures(input(better.slice(0, 199))), ["test-images"]);
  assertEquals(failures(input([])), ["test-images", "top-1", "top-5"]);
});

Deno.test("decide() refuses a fallen class, but not an unlucky image", () => {
  const better = alike().map((a) => ({ ...a, candidateRank: 0 }));
  const lost = better.map((a) => a.label === "c" ? { ...a, candidateRank: 1 } : a);
  assertEquals(failures(input(lost)), ["each-class"]);
  const { checks, classes } = decide(input(lost), POLICY);
  assertStringIncludes(
    checks.find(({ name }) => name === "each-class")!.reason,
    "c (80.00 % to 0.00 % right on 200 images",
  );
  assertEquals(classes[0]!.name, "c");
  const unlucky = [
    ...better.filter(({ label }) => label !== "c"),
    ...images("c", 2, 0, 0),
    ...images("c", 1, 0, 1),
  ];
  assertEquals(failures(input(unlucky)), []);
  const reason = decide(input(unlucky), POLICY).checks.find(({ name }) => name === "each-class")!;
  assertStringIncludes(reason.reason, "c (100.00 % to 66.67 % right on 3 images");
  assertStringIncludes(reason.reason, "may have by accident");
});

Deno.test("decide() compares on the classes both know, and judges new ones alone", () => {
  const grown = { candidateClasses: [...CLASSES, "g"] };
  const good = [...alike(), ...images("g", 30, null, 0), ...images("g", 10, null, 3)];
  assertEquals(failures(input(good, grown)), []);
  const check = decide(input(good, grown), POLICY).checks.find(({ name }) =>
    name === "new-classes"
  )!;
  assertStringIncludes(check.reason, "new classes g: top-1 error 25.00 % on 40 images");
  const bad = [...alike(), ...images("g", 10, null, 0), ...images("g", 30, null, 3)];
  assertEquals(failures(input(bad, grown)), ["new-classes"]);
  const scarce = [...alike(), ...images("g", 4, null, 0)];
  assertEquals(failures(input(scarce, grown)), ["new-classes"]);
  const none = { candidateClasses: [...CLASSES, "g"] };
  assertEquals(failures(input(alike(), none)), ["new-classes"]);
});

Deno.test("decide() refuses a candidate that forgot a class, unless the policy allows it", () => {
  const fewer = { candidateClasses: CLASSES.slice(1) };
  const answers = alike().map((a) => a.label === "a" ? { ...a, candidateRank: null } : a);
  assertEquals(failures(input(answers, fewer)), ["known-classes"]);
  const allowing = GatePolicySchema.parse({ removedClasses: true });
  assertEquals(failures(input(answers, fewer), allowing), []);
});

Deno.test("decide() does not compare top-5 where five answers are all of a model's classes", () => {
  const small = { championClasses: CLASSES.slice(0, 5) };
  const answers = alike().map((a) =>
    a.label === "f" ? { ...a, championRank: null } : { ...a, candidateRank: a.candidateRank && 5 }
  );
  assertEquals(failures(input(answers, small)), []);
});

Deno.test("decide() judges a first model by absolute thresholds alone", () => {
  const first = { championClasses: null };
  const alone = alike().map((a) => ({ ...a, championRank: null }));
  assertEquals(failures(input(alone, first)), []);
  const poor = alone.map((a, i) => ({ ...a, candidateRank: i % 10 }));
  assertEquals(failures(input(poor, first)), ["absolute-top-1", "absolute-top-5"]);
});

Deno.test("decide() asks for a model that loads, answers its self-test and fits the budgets", () => {
  const trial = (changes: Partial<GateInput["trial"]>) =>
    failures(input(alike(), { trial: { ...WELL, ...changes } }));
  assertEquals(trial({ loadFailure: "no such operator" }), ["loads"]);
  assertEquals(trial({ selfTestFailure: "class 0 at 0.2" }), ["self-test"]);
  assertEquals(trial({ peakMemoryBytes: 3e9 }), ["memory"]);
  assertEquals(trial({ latencyMs: 1001 }), ["latency"]);
  assertEquals(trial({ latencyMs: null, peakMemoryBytes: null }), ["memory", "latency"]);
  const unbound = GatePolicySchema.parse({ maxLatencyMs: null, maxPeakMemoryBytes: null });
  assertEquals(
    failures(input(alike(), { trial: { ...WELL, latencyMs: null } }), unbound),
    [],
  );
});

Deno.test("pairAnswers() refuses answers that cannot be about the same images", () => {
  const asked = [{ image: "1", label: "a" }, { image: "2", label: "b" }];
  const champion = { classes: ["a"], ranks: [0, null] };
  const candidate = { classes: ["a", "b"], ranks: [1, 0] };
  assertEquals(pairAnswers(asked, { champion, candidate })[1], {
    ...{ image: "2", label: "b", championRank: null, candidateRank: 0 },
  });
  const pair = (ranks: (number | null)[]) => () =>
    pairAnswers(asked, { champion: { ...champion, ranks }, candidate });
  assertThrows(pair([0]), RangeError, "the champion answered about 1 images, not 2");
  assertThrows(pair([null, null]), RangeError, "no answer about 1, though it knows a");
  assertThrows(pair([0, 0]), RangeError, "an answer about 2, though it does not know b");
});

Deno.test("GatePolicySchema names what is wrong", () => {
  assertThrows(() => GatePolicySchema.parse({ top1Margin: 2 }), Error, "top1Margin");
  assertThrows(() => GatePolicySchema.parse({ top1: 0.1 }), Error, "top1");
});
