/**
 * p-values of several tests adjusted so that the chance of any false alarm stays below the level that
 * they are compared with: Holm, "A simple sequentially rejective multiple test procedure",
 * Scandinavian Journal of Statistics 6, 1979.
 */
export function holm(ps: readonly number[]): number[] {
  const order = ps.map((_, i) => i).sort((a, b) => ps[a]! - ps[b]!);
  const adjusted = new Array<number>(ps.length);
  let largest = 0;
  order.forEach((test, place) => {
    largest = Math.max(largest, Math.min(1, (ps.length - place) * ps[test]!));
    adjusted[test] = largest;
  });
  return adjusted;
}
