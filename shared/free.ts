/**
 * Gives the array's memory back, for whoever knows that nobody uses it any more. V8 hardly sees what
 * lies outside of its heap and collects it late: the service grew by 2 MB with each large photograph
 * until 60 MB of them lay about (2026-11-28). A part of a larger buffer stays: it may be
 * WebAssembly's memory, or have neighbours.
 */
export function free({ buffer, byteLength }: ArrayBufferView): void {
  if (buffer instanceof ArrayBuffer && byteLength > 0 && byteLength === buffer.byteLength) {
    buffer.transfer(0);
  }
}
