/** The software bill of materials of a release: what the lock file pins, as CycloneDX 1.6. */
import { parseArgs } from "node:util";
import text from "../../deno.lock" with { type: "text" };

/** The part of the lock file that is read. */
export interface Lock {
  readonly npm: Readonly<
    Record<string, { readonly integrity: string; readonly dependencies?: readonly string[] }>
  >;
}

interface Component {
  readonly type: "library";
  readonly "bom-ref": string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes: readonly { readonly alg: string; readonly content: string }[];
}

/**
 * CycloneDX 1.6 (ECMA-424) of a lock file; the same for the same file, so without times and serial
 * numbers.
 */
export function billOfMaterials({ npm }: Lock, version: string): object {
  const refOf = (id: string) => componentOf(id, "").purl;
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: { type: "application", "bom-ref": "topfive", name: "topfive", version },
    },
    components: Object.entries(npm).map(([id, { integrity }]) => componentOf(id, integrity)),
    dependencies: Object.entries(npm).map(([id, { dependencies = [] }]) => ({
      ref: refOf(id),
      dependsOn: dependencies.map((name) => refOf(fullId(npm, name))),
    })),
  };
}

/** A dependency is written without its version where the file has but one. */
function fullId(npm: Lock["npm"], name: string): string {
  if (name in npm) return name;
  const id = Object.keys(npm).find((candidate) => candidate.startsWith(`${name}@`));
  if (id === undefined) throw new Error(`Cannot find ${name} in deno.lock (run deno install)`);
  return id;
}

function componentOf(id: string, integrity: string): Component {
  // "name@1.2.3", with peers behind an underscore: "name@1.2.3_peer@4.5.6".
  const [, name, version] = /^(@?[^@]+)@([^_]+)/.exec(id)!;
  const purl = `pkg:npm/${name!.replace("@", "%40")}@${version}`;
  const [algorithm, base64] = integrity.split("-");
  const hashes = base64
    ? [{
      alg: algorithm!.toUpperCase().replace("SHA", "SHA-"),
      content: Uint8Array.fromBase64(base64).toHex(),
    }]
    : [];
  return { type: "library", "bom-ref": purl, name: name!, version: version!, purl, hashes };
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { version: { type: "string", default: "0.0.0" } } });
  console.log(JSON.stringify(billOfMaterials(JSON.parse(text), values.version), null, 2));
}
