import { assertEquals } from "@std/assert";
import { billOfMaterials } from "./sbom.ts";

Deno.test("billOfMaterials() names each locked package with its hash and what it depends on", () => {
  const npm = {
    "@a/b@1.2.3_c@4.5.6": { integrity: "sha512-AAEC", dependencies: ["c"] },
    "c@4.5.6": { integrity: "sha512-/w==" },
  };
  assertEquals(billOfMaterials({ npm }, "v1"), {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: { type: "application", "bom-ref": "topfive", name: "topfive", version: "v1" },
    },
    components: [
      {
        type: "library",
        "bom-ref": "pkg:npm/%40a/b@1.2.3",
        name: "@a/b",
        version: "1.2.3",
        purl: "pkg:npm/%40a/b@1.2.3",
        hashes: [{ alg: "SHA-512", content: "000102" }],
      },
      {
        type: "library",
        "bom-ref": "pkg:npm/c@4.5.6",
        name: "c",
        version: "4.5.6",
        purl: "pkg:npm/c@4.5.6",
        hashes: [{ alg: "SHA-512", content: "ff" }],
      },
    ],
    dependencies: [
      { ref: "pkg:npm/%40a/b@1.2.3", dependsOn: ["pkg:npm/c@4.5.6"] },
      { ref: "pkg:npm/c@4.5.6", dependsOn: [] },
    ],
  });
});
