/**
 * The ONNX file as plain data: what the operators return for export and what import gives back.
 * It covers what the engine uses of ONNX: one graph of standard operators over dense tensors.
 */

/**
 * The operator set that exported models ask for, and the IR version which belongs to it (ONNX 1.12).
 * Every operator the engine exports is defined by 13 or earlier; 17 is the oldest of the sets 17 and
 * above, which current tools are tested with. From 18 on Split asks for `num_outputs` or sizes, so
 * Split gets its sizes as a second input, which is right in both.
 */
export const ONNX_OPSET = 17;
export const ONNX_IR_VERSION = 8;

/** The operator set that has 4-bit integers and DequantizeLinear by blocks, and its IR version. */
export const INT4_OPSET = 21;
export const INT4_IR_VERSION = 10;

/** Element types the engine stores, by their ONNX names. */
export type OnnxElementType = "FLOAT" | "FLOAT16" | "INT4" | "INT8" | "UINT8" | "INT32" | "INT64";

/** Numbers of a tensor; the array says which element type they are. */
export type OnnxNumbers =
  | Float32Array
  | Float16Array
  | Int8Array
  | Uint8Array
  | Int32Array
  | BigInt64Array;

/**
 * One attribute, named by its ONNX type: `{ int: 2 }`, `{ ints: [0, 0, 3, 3] }`.
 * Floats are stored in 32 bits; integers in 64, and must be safe integers here.
 */
export type OnnxAttribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly ints: readonly number[] }
  | { readonly floats: readonly number[] }
  | { readonly string: string };

/** One operator of the default domain. An optional input left out is the empty name. */
export interface OnnxNode {
  readonly opType: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** A constant: row-major, as many numbers as `dims` multiply to. */
export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data: OnnxNumbers;
  /** INT4 where the file has two numbers in a byte; here they are an Int8Array of -8 to 7. */
  readonly elementType?: "INT4";
}

/** An input or output of the graph. A string names a free dimension ("N"), "" is an unknown one. */
export interface OnnxValue {
  readonly name: string;
  readonly shape: readonly (number | string)[];
  /** FLOAT where absent. */
  readonly elementType?: OnnxElementType;
}

/** A whole model; `nodes` in an order in which each node's inputs exist before it. */
export interface OnnxModel {
  readonly graphName: string;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  /** Version of the default operator domain: `ONNX_OPSET` for what the engine exports. */
  readonly opset: number;
  readonly producerName: string;
  readonly producerVersion: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly docString: string;
}
