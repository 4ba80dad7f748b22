/** Bindings of a copy of half the size start at multiples of 256 too. */
const ALIGNMENT = 512;

/** Cuts a buffer into ranges that an adapter can bind, the last one shorter. */
export function bindingRanges(
  bytes: number,
  { maxBindingBytes }: { readonly maxBindingBytes: number },
): { readonly offset: number; readonly size: number }[] {
  const largest = Math.floor(maxBindingBytes / ALIGNMENT) * ALIGNMENT;
  return Array.from({ length: Math.ceil(bytes / largest) }, (_, index) => {
    const offset = index * largest;
    return { offset, size: Math.min(largest, bytes - offset) };
  });
}
