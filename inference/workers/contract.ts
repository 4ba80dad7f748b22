import type { SessionManifest } from "./session.ts";

/** An input or output of a network; `type` and `shape` of tensors alone. */
export interface NetworkValue {
  readonly name: string;
  readonly type?: string;
  readonly shape?: readonly (number | string)[];
}

/**
 * A manifest that describes another network than its weights must fail here, not in a request.
 *
 * @throws {RangeError} saying what is different.
 */
export function requireContract(
  manifest: SessionManifest,
  { inputs, outputs }: Record<"inputs" | "outputs", readonly NetworkValue[]>,
): void {
  const { input, output } = manifest;
  const [batch, ...image] = input.shape;
  if (batch > 1) {
    throw mismatch(manifest, `it takes batches of ${batch} alone, a request is one image`);
  }
  if (inputs.length !== 1) {
    throw mismatch(manifest, `it has ${inputs.length} inputs, expected one image`);
  }
  requireValue(manifest, "input", inputs, input.name, image);
  requireValue(manifest, "output", outputs, output.name, [output.classes]);
}

/** Requires a float32 value of that name, batch first; a size that the network leaves open fits. */
function requireValue(
  manifest: SessionManifest,
  kind: "input" | "output",
  values: readonly NetworkValue[],
  name: string,
  shape: readonly number[],
): void {
  const value = values.find((candidate) => candidate.name === name);
  if (value?.shape && value.type === "float32" && fits(value.shape, shape)) return;
  throw mismatch(
    manifest,
    `its ${kind} is ${values.map(describe).join(" and ")}, but the manifest says ` +
      `${name} float32 [batch,${shape.join(",")}]`,
  );
}

function fits(actual: readonly (number | string)[], expected: readonly number[]): boolean {
  const sizes = actual.slice(1);
  // A pooling's 1 x 1 may be left behind the classes.
  while (sizes.length > expected.length && sizes.at(-1) === 1) sizes.pop();
  return sizes.length === expected.length &&
    expected.every((size, index) => typeof sizes[index] === "string" || sizes[index] === size);
}

/** The error for a manifest and a network that do not belong together. */
export function mismatch({ name, version }: SessionManifest, what: string): RangeError {
  return new RangeError(
    `Cannot serve ${name} ${version}: the network does not fit its manifest, ${what} ` +
      "(publish the model again)",
  );
}

function describe(value: NetworkValue): string {
  return value.shape ? `${value.name} ${value.type} [${value.shape.join(",")}]` : value.name;
}
