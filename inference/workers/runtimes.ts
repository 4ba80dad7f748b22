/**
 * The engines: `lean` is our own (`inference/lean/`), for networks whose operators it has;
 * `onnxruntime-node` is native code, installed apart, and never chosen by itself.
 */
export const RUNTIMES = ["lean", "onnxruntime-web", "onnxruntime-node"] as const;
export type Runtime = typeof RUNTIMES[number];
