import { assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { exampleManifest } from "../../../shared/fixtures/example_manifest.ts";
import { describeVersion } from "./describe_version.ts";

Deno.test("describeVersion() says what is known, and nothing of what is not", () => {
  const plain = describeVersion(exampleManifest(), []);
  assertStringIncludes(plain, "pets 2026-11-01.1\n");
  assertStringIncludes(plain, "top-1 error  10.00 %\n");
  assertStringIncludes(plain, "signed by   nobody");
  for (const absent of ["Intended use", "undefined", "null", "gate"]) {
    assertFalse(plain.includes(absent), absent);
  }
  const unmeasured = exampleManifest();
  delete unmeasured.metrics;
  assertStringIncludes(describeVersion(unmeasured, []), "Accuracy\n  not measured");
});

Deno.test("describeVersion() prints the card, the classes it knows worst and the gate's reasons", () => {
  const { metrics, provenance } = exampleManifest();
  const text = describeVersion(
    exampleManifest({
      card: {
        intendedUse: "Sorting photographs of cats and dogs. ".repeat(5),
        weaknesses: ["Foxes are dogs to it.", "Dark fur at night."],
      },
      metrics: {
        ...metrics!,
        top1Interval: [0.05, 0.17],
        classes: [
          { images: 60, top1Error: 0.05, interval: [0.02, 0.14] },
          { images: 40, top1Error: 0.175, interval: [0.09, 0.32] },
        ],
        confusions: [{ label: "dog", answer: "cat", images: 7 }],
      },
      gate: { promote: false, champion: "v0", run: "r1", reasons: ["cat fell by more than 10 %"] },
      provenance: {
        ...provenance,
        contentFingerprint: "c".repeat(64),
        images: { train: 800, validation: 100, test: 100 },
      },
    }),
    ["0123456789abcdef"],
  );
  const lines = text.split("\n");
  assertEquals(lines.filter(({ length }) => length > 90), []);
  for (
    const expected of [
      "Intended use\n  Sorting photographs of cats and dogs. Sorting",
      "Known weaknesses\n  - Foxes are dogs to it.\n  - Dark fur at night.",
      "top-1 error  10.00 % (5.00 % to 17.00 % at 95 %)",
      "  dog  top-1 error 17.50 % (9.00 % to 32.00 % at 95 %), 40 images\n  cat  top-1",
      "takes dog for cat (7)",
      "Refused by the gate in run r1, beside v0\n  - cat fell by more than 10 %",
      "images      800 training, 100 validation, 100 test",
      `content     ${"c".repeat(64)}`,
      "signed by   0123456789abcdef",
    ]
  ) assertStringIncludes(text, expected);
});
