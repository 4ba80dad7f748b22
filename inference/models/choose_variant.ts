import { constrainedMemory } from "node:process";
import { type ModelManifest, ORIGINAL } from "../../shared/manifest.ts";
import type { Runtime } from "../workers/runtimes.ts";
import { asVariant } from "../../shared/variants.ts";

/**
 * What a service takes at its peak without a model (Deno, two decoders, the engine), and how many times
 * the weights' bytes with one. AlexNet, 2026-11-28, one decoder: the lean engine takes 133 MB and the
 * weights once (int4 168 MB, int8 194, float32 376), onnxruntime-web 338 MB for int8 and 772 for
 * float32: the reader's copy and the engine's own.
 */
const LEAN = { base: 160e6, copies: 1.05 };
const ONNX_RUNTIME = { base: 210e6, copies: 2.3 };

/** How a form of a model is chosen. */
export interface VariantChoice {
  /** Named by the operator; nothing else is looked at then. */
  readonly variant: string | undefined;
  /** Bytes that this one model's service may take; no limit where undefined. */
  readonly budget: number | undefined;
  /** The engine that will run it, where the operator named one. */
  readonly runtime?: Runtime | "auto";
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
  { variant, budget = Infinity, runtime = "auto" }: VariantChoice,
): ChosenVariant {
  const names = variant === undefined
    ? [ORIGINAL, ...(manifest.variants ?? []).map(({ name }) => name)]
    : [variant];
  // What one form was measured on runs the others too, and what was not measured may need the most.
  const likely = measuredOn(manifest) ?? "onnxruntime-web";
  const forms = names.map((name): ChosenVariant => {
    const form = asVariant(manifest, name);
    const needs = memoryOf(form, runtime === "auto" ? likely : runtime);
    return { name, manifest: form, needs, fits: needs <= budget };
  });
  return forms.find(({ fits }) => fits) ?? forms.toSorted((a, b) => a.needs - b.needs)[0]!;
}

/** Bytes that a service with this form alone takes at its peak, as measured on this engine, or by size. */
function memoryOf({ weights, cost }: ModelManifest, runtime: string): number {
  if (cost?.runtime === runtime) return cost.peakMemory;
  const { base, copies } = runtime === "lean" ? LEAN : ONNX_RUNTIME;
  return Math.round(base + copies * weights.byteLength);
}

function measuredOn({ cost, variants = [] }: ModelManifest): string | undefined {
  return [{ cost }, ...variants].find((form) => form.cost !== undefined)?.cost?.runtime;
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
