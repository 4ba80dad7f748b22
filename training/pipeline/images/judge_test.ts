import { assert, assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { Random } from "../../random.ts";
import type { ImageRecord } from "./image_record.ts";
import { judge, type Judgement } from "./judge.ts";
import { ImageRulesSchema } from "./rules.ts";
import { splitOf } from "./split_rule.ts";

const RULES = ImageRulesSchema.parse({ minClassImages: 2 });
const SPLIT = { testShare: 0.2, validationShare: 0.1 };
const random = new Random(7);

function shaOf(content: string): string {
  return createHash("sha256").update(content).digest("hex");
}

/** A content whose hash puts it into the split. */
function contentIn(split: "train" | "test" | "validation", from = 0): string {
  for (let i = from;; i++) if (splitOf(shaOf(`c${i}`), SPLIT) === split) return `c${i}`;
}

function randomLook(): string {
  return Array.from({ length: 2 }, () => random.uint32().toString(16).padStart(8, "0")).join("");
}

interface Given {
  readonly key: string;
  readonly label: string;
  readonly content?: string;
  readonly since?: string;
  readonly sidecar?: boolean;
  readonly look?: string;
  readonly size?: readonly [number, number];
  readonly broken?: string;
  readonly brightness?: number;
}

function record(given: Given): ImageRecord {
  const { key, label, content = key, since = "2", sidecar = false, look = randomLook() } = given;
  const { size: [width, height] = [100, 80], broken, brightness = 0.5 + 0.1 * random.normal() } =
    given;
  return {
    ...{ key, label, since, byteLength: 1, modifiedAt: 1 },
    labelledAt: sidecar ? 1 : null,
    sha256: shaOf(content),
    seen: broken ? { broken } : {
      ...{ width, height, look },
      features: [brightness, 0.2 + 0.01 * random.normal(), 0.3, 0.1, 13],
    },
  };
}

/** So many images of each class, all different. */
function many(
  count: number,
  labels: readonly string[],
  since: string,
  brightness = 0,
): ImageRecord[] {
  return labels.flatMap((label) =>
    Array.from({ length: count }, (_, i) =>
      record({
        ...{ key: `in/${label}/${since}-${i}.jpg`, label, since },
        brightness: 0.5 + brightness + 0.1 * random.normal(),
      }))
  );
}

const look = (records: readonly ImageRecord[], rules = RULES) =>
  judge(records, { rules, splitRule: SPLIT, run: "2" });

function finding({ findings }: Judgement, rule: string) {
  return findings.find((each) => each.rule === rule);
}

function filesOf(judgement: Judgement, rule: string): string[] {
  return (finding(judgement, rule)?.files ?? []).map(({ key }) => key);
}

Deno.test("judge() uses good images and says nothing about them", () => {
  const judgement = look(many(60, ["a", "b"], "2"));
  assertEquals(judgement.findings, []);
  assertEquals(judgement.used.length, 120);
  assertEquals(judgement.classes.map(({ name, fresh }) => [name, fresh]), [["a", 60], ["b", 60]]);
});

Deno.test("judge() names what is unreadable or too small, and stops where that is much", () => {
  const good = many(60, ["a", "b"], "2");
  const broken = (count: number) =>
    Array.from(
      { length: count },
      (_, i) =>
        i % 2
          ? record({ key: `in/a/bad${i}.jpg`, label: "a", broken: "it is cut off" })
          : record({ key: `in/a/bad${i}.jpg`, label: "a", size: [500, 31] }),
    );
  const few = look([...good, ...broken(4)]);
  assertEquals(filesOf(few, "unreadable"), ["in/a/bad1.jpg", "in/a/bad3.jpg"]);
  assertEquals(finding(few, "too small")!.files[0], { key: "in/a/bad0.jpg", reason: "500 x 31" });
  assert(few.findings.every(({ stops }) => !stops));
  assertEquals(few.used.length, 120);
  const much = look([...good, ...broken(20)]);
  assert(finding(much, "unreadable")!.stops && finding(much, "too small")!.stops);
  assertEquals(
    finding(much, "unreadable")!.text,
    "10 left out: unreadable, 10 of them new; unreadable or too small: 14.3 % of the 140 new " +
      "images, at most 10.0 % allowed (maxBrokenShare)",
  );
  // What an earlier run let pass does not stop this one.
  const known = look([...good, ...broken(20).map((each) => ({ ...each, since: "1" }))]);
  assert(known.findings.every(({ stops }) => !stops));
});

Deno.test("judge() takes sidecars' labels where a folder has them, or as the rules list them", () => {
  const folders = many(60, ["a", "b"], "2");
  const sidecars = [
    record({ key: "in/1.jpg", label: "a", sidecar: true }),
    record({ key: "in/2.jpg", label: "aa", sidecar: true }),
  ];
  assertEquals(filesOf(look([...folders, ...sidecars]), "unknown class"), ["in/2.jpg"]);
  const listed = { ...RULES, classes: ["b", "c"] };
  assertEquals(filesOf(look([...folders, ...sidecars], listed), "unknown class").length, 62);
  const alone = many(60, ["a", "b"], "2").map((each) => ({ ...each, labelledAt: 1 }));
  assertEquals(look(alone).findings, []);
});

Deno.test("judge() keeps the first of equal files, and none that came with two labels", () => {
  const good = many(60, ["a", "b"], "1");
  const twins = [
    record({ key: "in/a/again.jpg", label: "a", content: "in/a/1-0.jpg" }),
    record({ key: "in/b/other.jpg", label: "b", content: "in/a/1-1.jpg" }),
    record({ key: "in/a/x.jpg", label: "a", content: "x" }),
    record({ key: "in/b/x.jpg", label: "b", content: "x" }),
  ];
  const judgement = look([...twins, ...good]);
  assertEquals(filesOf(judgement, "duplicate"), ["in/a/again.jpg"]);
  assertEquals(filesOf(judgement, "contradiction").sort(), [
    "in/a/x.jpg",
    "in/b/other.jpg",
    "in/b/x.jpg",
  ]);
  assertEquals(judgement.used.length, 120);
  assertEquals(judgement.used.find(({ sha256 }) => sha256 === shaOf("in/a/1-1.jpg"))?.label, "a");
});

Deno.test("judge() lets no look-alike of a test image into training, nor the other way round", () => {
  const good = many(60, ["a", "b"], "1");
  const shared = randomLook();
  // Four bits differ.
  const near = shared.slice(0, -1) + (parseInt(shared.at(-1)!, 16) ^ 15).toString(16);
  const pair = (since: readonly [string, string]) =>
    look([
      ...good,
      record({
        ...{ key: "in/a/test.jpg", label: "a", look: shared, since: since[0] },
        content: contentIn("test"),
      }),
      record({
        ...{ key: "in/a/train.jpg", label: "a", look: near, since: since[1] },
        content: contentIn("train"),
      }),
    ]);
  assertEquals(filesOf(pair(["1", "2"]), "leak"), ["in/a/train.jpg"]);
  assertEquals(filesOf(pair(["2", "1"]), "leak"), ["in/a/test.jpg"]);
  assertEquals(filesOf(pair(["2", "2"]), "leak"), ["in/a/train.jpg"]);
  assertEquals(finding(pair(["1", "2"]), "leak")!.files[0]!.reason, "looks like in/a/test.jpg");
});

Deno.test("judge() leaves small classes waiting, and stops without two classes or a split", () => {
  const judgement = look([
    ...many(60, ["a", "b"], "1"),
    record({ key: "in/c/1.jpg", label: "c", content: contentIn("train") }),
    record({ key: "in/c/2.jpg", label: "c", content: contentIn("test") }),
  ]);
  assertEquals(filesOf(judgement, "small class"), ["in/c/1.jpg", "in/c/2.jpg"]);
  assertEquals(judgement.classes.map(({ name }) => name), ["a", "b"]);
  assert(finding(look(many(60, ["a"], "2")), "classes")!.stops);
  const untested = many(60, ["a", "b"], "2").filter(({ sha256 }) =>
    splitOf(sha256!, SPLIT) !== "test"
  );
  const noTest = finding(look(untested), "splits")!;
  assertEquals([noTest.stops, noTest.text], [true, "there are no test images: add images"]);
  const uneven = look([...many(200, ["a"], "2"), ...many(12, ["b"], "2")], {
    ...RULES,
    maxImbalance: 10,
  });
  assertEquals(finding(uneven, "balance")?.stops, false);
});

Deno.test("judge() notices that images are taken otherwise, not that there are more of a class", () => {
  const known = many(60, ["a", "b"], "1");
  assertEquals(finding(look([...known, ...many(60, ["a"], "2")]), "drift"), undefined);
  const darker = look([...known, ...many(40, ["a", "b"], "2", -0.1)]);
  const drift = finding(darker, "drift")!;
  assert(!drift.stops && drift.text.startsWith("brightness of the new images is "), drift.text);
  const night = look([...known, ...many(40, ["a", "b"], "2", -0.4)]);
  assert(finding(night, "drift")!.stops);
  assertEquals(finding(look([...known, ...many(40, ["c", "d"], "2", -0.4)]), "drift"), undefined);
});

Deno.test("judge() leaves every image in its split, whatever comes, goes and is relabelled later", () => {
  const months = [many(80, ["a", "b"], "1"), many(80, ["a", "c"], "2"), many(80, ["d"], "3")];
  const splits = new Map<string, string>();
  const tested = new Set<string>();
  const learnt = new Set<string>();
  for (const [month] of months.entries()) {
    const records = months.slice(0, month + 1).flat().filter((_, i) => month < 2 || i % 7 > 0)
      .map((each, i) => i % 11 === 0 ? { ...each, label: "b" } : each);
    const run = String(month + 1);
    for (const { sha256, split } of judge(records, { rules: RULES, splitRule: SPLIT, run }).used) {
      assertEquals(splits.get(sha256) ?? split, split);
      splits.set(sha256, split);
      (split === "test" ? tested : learnt).add(sha256);
    }
  }
  assertEquals(tested.intersection(learnt).size, 0);
  assert(tested.size > 60 && tested.size < 150, `${tested.size} of ${splits.size}`);
});
