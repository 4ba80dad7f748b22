/** Tests only: momentum and decay of AlexNet's paper, section 5, in float64. */
export interface SgdReference {
  readonly weights: Float64Array;
  readonly momenta: Float64Array;
}

export function sgdReference(
  { weights, momenta }: SgdReference,
  gradients: ArrayLike<number>,
  { rate, momentum, decay }: { rate: number; momentum: number; decay: number },
): SgdReference {
  const next = momenta.map((velocity, i) =>
    momentum * velocity - decay * rate * weights[i]! - rate * gradients[i]!
  );
  return { weights: weights.map((weight, i) => weight + next[i]!), momenta: next };
}
