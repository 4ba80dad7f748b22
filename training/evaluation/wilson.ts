/** Standard normal quantile of a two-sided interval of 95 %. */
const Z = 1.959963984540054;

/**
 * The 95 % interval of a share that was seen `hits` times in `trials`: Wilson, "Probable Inference,
 * the Law of Succession, and Statistical Inference", 1927. Unlike p ± z·σ it stays within 0 and 1
 * and is right near both.
 */
export function wilsonInterval(hits: number, trials: number): [number, number] {
  if (trials === 0) return [0, 1];
  const share = hits / trials;
  const scale = 1 + Z * Z / trials;
  const middle = share + Z * Z / (2 * trials);
  const spread = Z * Math.sqrt(share * (1 - share) / trials + Z * Z / (4 * trials * trials));
  return [
    hits === 0 ? 0 : (middle - spread) / scale,
    hits === trials ? 1 : (middle + spread) / scale,
  ];
}
