import config from "./deno.json" with { type: "json" };

/** Of this code, as `topfive version` prints it and every model records it. */
export const VERSION: string = config.version;
