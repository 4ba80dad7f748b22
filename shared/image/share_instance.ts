/**
 * Lends one instance of a WebAssembly codec to all calls. WebAssembly memory never shrinks, so the
 * process keeps the memory of the largest image it decoded. A new instance for each would need more:
 * garbage collection hardly sees that memory, and 25 images of 48 megapixels reached 1.2 GB that way
 * (Deno 2.9.6, 2026-11).
 *
 * @param isIntact whether the instance may go on after an error; after a trap its memory is in no
 * known state, and the next call gets a new one
 */
export function shareInstance<Codec>(
  create: () => Codec | Promise<Codec>,
  isIntact: (error: unknown) => boolean,
) {
  let shared: Codec | undefined;
  return async function lend<Result>(use: (codec: Codec) => Result): Promise<Result> {
    const codec = shared ?? await create();
    shared = codec;
    try {
      // No await before it is done: no other call may meet an instance that has trapped.
      return use(codec);
    } catch (error) {
      if (!isIntact(error)) {
        shared = undefined;
        // Lets its memory be freed; without that 1,000 traps in a row held 2.9 GB.
        await new Promise((resolve) => setTimeout(resolve));
      }
      throw error;
    }
  };
}
