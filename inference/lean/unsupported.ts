/** The network uses something that the lean session does not have; another runtime may. */
export class UnsupportedError extends Error {
  override name = "UnsupportedError";
}
