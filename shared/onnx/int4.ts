/** 4-bit integers as ONNX stores them: two in a byte, the first in the lower half (onnx.proto). */

/** Numbers from -8 to 7, [length / 2] bytes, rounded up. */
export function packInt4(numbers: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.ceil(numbers.length / 2));
  for (let i = 0; i < numbers.length; i++) {
    bytes[i >> 1] = bytes[i >> 1]! | (numbers[i]! & 15) << (4 * (i & 1));
  }
  return bytes;
}

/** The first `length` numbers of the bytes. */
export function unpackInt4(bytes: Uint8Array, length: number): Int8Array<ArrayBuffer> {
  const numbers = new Int8Array(length);
  // Up, then down by an arithmetic shift: that keeps the sign.
  for (let i = 0; i < length; i++) numbers[i] = (bytes[i >> 1]! << (28 - 4 * (i & 1))) >> 28;
  return numbers;
}
