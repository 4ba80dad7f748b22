import { constrainedMemory } from "node:process";
import { type ModelManifest, ORIGINAL } from "../../shared/manifest.ts";
import { asVariant } from "../../shared/variants.ts";

/**
 * A service without a model: Deno, two decoders, the engine. onnxruntime-web alone takes 152 MB
 * (2026-11).
 */
const BASE_BYTES = 210e6;

/**
 * Copies of the weights at the peak of loading: the reader's, and the engine's own. AlexNet in
 * float32 peaks at 766 MB and its int8 weights at 285 MB (2026-11).
 */
const COPIES = 2.3;

/** A further worker: its part of Deno, and the weights with what they are packed from. */
const WORKER_BYTES = 40e6;
const WORKER_COPIES = 1.3;

/** How a form of a model is chosen. */
export interface VariantChoice {
  /** Named by the operator; nothing else is looked at then. */
  readonly variant: string | undefined;
  /** Bytes that this one model's service may take; no limit where undefined. */
  readonly budget: number | undefined;
}

/** The form to load. */
export interface ChosenVariant {
  readonly name: string;
  /** The manifest with that form's weights and answers. */
  readonly manifest: ModelManifest;
  /** Bytes of memory that it will take, by the publisher's measurement or by its size. */
  readonly needs: number;
  readonly fits: boolean;
}

/**
 * The most faithful form that fits the budget, or the least needy where none does: what is needed is
 * an estimate, and a service that answers nothing is of no use.
 *
 * @throws {RangeError} for a named variant that the manifest does not have.
 */
export function chooseVariant(
  manifest: ModelManifest,
  { variant, budget = Infinity }: VariantChoice,
): ChosenVariant {
  const names = variant === undefined
    ? [ORIGINAL, ...(manifest.variants ?? []).map(({ name }) => name)]
    : [variant];
  const forms = names.map((name): ChosenVariant => {
    const form = asVariant(manifest, name);
    const needs = memoryOf(form);
    return { name, manifest: form, needs, fits: needs <= budget };
  });
  return forms.find(({ fits }) => fits) ?? forms.toSorted((a, b) => a.needs - b.needs)[0]!;
}

/**
 * Workers of one model that fit into its budget, at most `most`: all but the first take the memory of
 * a worker and the weights once more, with room for what they compute (2026-11).
 */
export function workersWithin(
  { needs, manifest }: Pick<ChosenVariant, "needs" | "manifest">,
  budget: number | undefined,
  most: number,
): number {
  const each = WORKER_BYTES + WORKER_COPIES * manifest.weights.byteLength;
  const more = Math.max(0, Math.floor(((budget ?? Infinity) - needs) / each));
  return Math.min(most, 1 + more);
}

/** Bytes that a service with this form alone takes at its peak. */
export function memoryOf({ weights, cost }: ModelManifest): number {
  return cost?.peakMemory ?? Math.round(BASE_BYTES + COPIES * weights.byteLength);
}

/**
 * The limit that a container or service manager set on this process, in bytes; undefined where there
 * is none, or where Deno may not ask (`--allow-sys=systemMemoryInfo`).
 */
export function memoryLimit(): number | undefined {
  try {
    const limit = constrainedMemory();
    // Without a limit cgroups say 0 or a number that no machine has.
    return limit > 0 && limit < Deno.systemMemoryInfo().total ? limit : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}
