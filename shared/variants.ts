import { type ModelManifest, ORIGINAL } from "./manifest.ts";

/**
 * The manifest as it would be had the variant's weights been published alone: what reads weights and
 * what checks answers needs to know nothing of variants.
 *
 * @throws {RangeError} for a variant that the manifest does not have.
 */
export function asVariant(manifest: ModelManifest, name: string): ModelManifest {
  if (name === ORIGINAL) return manifest;
  const { variants = [], selfTest: original, ...rest } = manifest;
  const variant = variants.find((candidate) => candidate.name === name);
  if (variant === undefined) {
    const names = [ORIGINAL, ...variants.map((candidate) => candidate.name)].join(", ");
    throw new RangeError(
      `Cannot use variant ${name} of ${manifest.name} ${manifest.version}: it has ${names}`,
    );
  }
  const { weights, metrics, cost, wireBytes, selfTestTop } = variant;
  const top = selfTestTop ?? original?.top;
  return {
    ...rest,
    weights,
    metrics,
    cost,
    wireBytes,
    ...(original && top ? { selfTest: { ...original, top } } : {}),
    variants,
  };
}
