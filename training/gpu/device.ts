/**
 * The WebGPU device that training runs on, and what the rest must know of it.
 * @module
 */

import type { Precision } from "./precision.ts";

/** Which family of kernels an adapter wants: see `training/kernels/gemm/`. */
export type KernelFamily = "software" | "discrete";

export interface Gpu {
  readonly device: GPUDevice;
  readonly family: KernelFamily;
  /** Lanes of a subgroup; the software family is generated for exactly this number. */
  readonly subgroupSize: number;
  /** Adapter, driver and kernel family in words: what a checkpoint and a manifest record. */
  readonly description: string;
  /** Whether kernels may store float16 (`shader-f16`). */
  readonly hasFloat16: boolean;
  /** Most bytes that one storage binding may cover. */
  readonly maxBindingBytes: number;
  /** Most workgroups in one dimension of a dispatch. */
  readonly maxWorkgroups: number;
  /** Bytes of memory that a workgroup may share, and its most threads. */
  readonly maxWorkgroupBytes: number;
  readonly maxInvocations: number;
  /** Throws the first error that the device reported outside of an error scope, or its loss. */
  check(): void;
  close(): void;
}

/**
 * What the software family's kernels need. It is granted on request although neither the feature
 * list nor the types name it (Deno 2.9.6); an adapter that refuses it gets the other family.
 */
const SUBGROUPS = "subgroups" as GPUFeatureName;
const FALLBACK_SUBGROUP_SIZE = 8;
/** Taken where the adapter has them: the profiler's clock, float16. */
const OPTIONAL_FEATURES: GPUFeatureName[] = ["timestamp-query", "shader-f16"];

/**
 * Opens the adapter with all the storage limits it has.
 *
 * @throws {Error} where there is no adapter, with what to install.
 */
export async function openGpu(): Promise<Gpu> {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    throw new Error(
      "Cannot open a WebGPU adapter: none was found. Install a Vulkan driver for your card, or the " +
        "software one (apt-get install mesa-vulkan-drivers libvulkan1), then run ./topfive doctor",
    );
  }
  const { limits, info } = adapter;
  const requiredLimits = {
    maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
    maxBufferSize: limits.maxBufferSize,
    maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
    maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
    maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
  };
  const optional = OPTIONAL_FEATURES.filter((feature) => adapter.features.has(feature));
  const request = (more: GPUFeatureName[]) =>
    adapter.requestDevice({ requiredFeatures: [...more, ...optional], requiredLimits });
  const subgroups = isSoftware(info) ? await request([SUBGROUPS]).catch(() => null) : null;
  const device = subgroups ?? await request([]);
  const family = subgroups ? "software" : "discrete";
  let failure: Error | null = null;
  let closed = false;
  device.addEventListener("uncapturederror", (event) => {
    const { error } = event as GPUUncapturedErrorEvent;
    failure ??= new Error(`The GPU refused a command: ${error.message}`);
  });
  device.lost.then(({ message }) => {
    if (!closed) failure ??= new Error(`The GPU was lost: ${message}`);
  });
  const name = [info.description || info.device, info.vendor].filter(Boolean).join(", vendor ");
  return {
    device,
    family,
    subgroupSize: info.subgroupMinSize || FALLBACK_SUBGROUP_SIZE,
    description: `${name} (${family} kernels)`,
    hasFloat16: device.features.has("shader-f16"),
    maxBindingBytes: Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize),
    maxWorkgroups: limits.maxComputeWorkgroupsPerDimension,
    maxWorkgroupBytes: limits.maxComputeWorkgroupStorageSize,
    maxInvocations: limits.maxComputeInvocationsPerWorkgroup,
    check() {
      if (failure) throw failure;
    },
    close() {
      closed = true;
      device.destroy();
    },
  };
}

/** @throws {Error} where float16 is asked for and the adapter has none. */
export function requirePrecision(gpu: Gpu, precision: Precision): void {
  if (precision === "f32" || gpu.hasFloat16) return;
  throw new Error(
    `Cannot compute in float16: ${gpu.description} has no shader-f16 (use --precision f32)`,
  );
}

function isSoftware(info: GPUAdapterInfo): boolean {
  return info.isFallbackAdapter || /llvmpipe|swiftshader|lavapipe/i.test(info.description);
}
