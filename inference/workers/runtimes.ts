/** The engines: `lean` is our own (`inference/lean/`), for networks whose operators it has. */
export const RUNTIMES = ["lean", "onnxruntime-web"] as const;
export type Runtime = typeof RUNTIMES[number];
