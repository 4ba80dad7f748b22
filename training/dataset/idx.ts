/** An array of unsigned bytes from an IDX file. */
export interface IdxArray {
  /** Sizes, slowest first: [count] or [count, rows, columns]. */
  dimensions: number[];
  /** As many bytes as the product of the dimensions. */
  data: Uint8Array;
}

const UNSIGNED_BYTE = 0x08;

/**
 * Parses an IDX file as http://yann.lecun.com/exdb/mnist describes it: two zero bytes, a type, the
 * number of dimensions, each size as big-endian uint32, then the values. Only unsigned bytes are
 * read, and the file must end exactly where the values do.
 *
 * @param name the file's name, for messages
 * @throws {SyntaxError} wrong magic, type or number of dimensions; too short or too long
 */
export function parseIdx(bytes: Uint8Array, name: string, rank: number): IdxArray {
  const fail = (what: string): never => {
    throw new SyntaxError(`Cannot read IDX file ${name}: ${what}`);
  };
  const headerBytes = 4 + 4 * rank;
  if (bytes.length < 4) fail(`${bytes.length} bytes are no header`);
  if (bytes[0] !== 0 || bytes[1] !== 0) fail("it does not begin with two zero bytes");
  if (bytes[2] !== UNSIGNED_BYTE) {
    fail(
      `values have type 0x${
        bytes[2]!.toString(16).padStart(2, "0")
      } (expected 0x08, unsigned byte)`,
    );
  }
  if (bytes[3] !== rank) fail(`it has ${bytes[3]} dimensions (expected ${rank})`);
  if (bytes.length < headerBytes) {
    fail(`the header ends after ${bytes.length} of ${headerBytes} bytes`);
  }

  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const dimensions = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const size = dimensions.reduce((product, dimension) => product * dimension, 1);
  const data = bytes.subarray(headerBytes);
  if (data.length !== size) {
    const problem = data.length < size ? "is truncated" : "has bytes left over";
    fail(`it ${problem}: ${data.length} values (expected ${dimensions.join(" × ")} = ${size})`);
  }
  return { dimensions, data };
}
