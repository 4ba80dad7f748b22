import type { Finding } from "./finding.ts";

/** Variables that the Vulkan loader and the software driver read. */
const VARIABLES = [
  "VK_DRIVER_FILES",
  "VK_ICD_FILENAMES",
  "LP_NATIVE_VECTOR_WIDTH",
  "LP_NUM_THREADS",
  "XDG_RUNTIME_DIR",
] as const;

/** The driver's environment as this process got it from `./topfive` or from the user. */
export function inspectDriver(): Finding[] {
  return VARIABLES.map((name) => ({
    topic: "driver",
    name,
    status: "ok",
    value: Deno.env.get(name) ?? "not set",
  }));
}
