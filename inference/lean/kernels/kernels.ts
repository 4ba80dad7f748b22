// @ts-nocheck: AssemblyScript (build.ts); Deno formats and lints it alone.
// Every kernel of the lean session. Addresses are bytes of the one memory.
export * from "./product_f32.ts";
export { productI8 } from "./product_i8.ts";
export * from "./product_narrow.ts";
export { blockSums, productI4 } from "./product_i4.ts";
export * from "./pack.ts";
export * from "./pool.ts";
export { binaryF32, quantizeI7, softmaxF32, unaryF32 } from "./elementwise.ts";
export * from "./lrn.ts";
export * from "./layout.ts";
export * from "./widen.ts";
