/** Eigenvalues, greatest first, and the unit eigenvector of each: `vectors[k]` belongs to `values[k]`. */
export interface Eigen {
  values: number[];
  vectors: number[][];
}

/** Far above what 3 x 3 needs: convergence is quadratic. */
const MAX_SWEEPS = 50;

/**
 * Eigen-decomposition of a small symmetric matrix by cyclic Jacobi rotations (Golub, Van Loan,
 * "Matrix Computations", 8.5). A vector's sign is fixed by making its largest component positive,
 * so that the same matrix gives the same vectors everywhere.
 *
 * @param matrix rows of a symmetric matrix
 * @throws {RangeError} the matrix is not square and symmetric
 */
export function symmetricEigen(matrix: readonly (readonly number[])[]): Eigen {
  const n = matrix.length;
  const isSymmetric = matrix.every((row, i) =>
    row.length === n && row.every((value, j) => value === matrix[j]?.[i])
  );
  if (!isSymmetric) throw new RangeError("Cannot find eigenvectors: the matrix is not symmetric");
  const a = matrix.map((row) => [...row]);
  const v = a.map((_, i) => a.map((_, j) => i === j ? 1 : 0));
  for (let sweep = 0; sweep < MAX_SWEEPS && !isDiagonal(a); sweep++) {
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) rotate(a, v, p, q);
    }
  }
  const order = a.map((_, k) => k).sort((i, j) => a[j]![j]! - a[i]![i]!);
  return {
    values: order.map((k) => a[k]![k]!),
    vectors: order.map((k) => withSign(v.map((row) => row[k]!))),
  };
}

function isDiagonal(a: number[][]): boolean {
  return a.every((row, i) => row.every((value, j) => i === j || value === 0));
}

/** Makes a[p][q] zero by a rotation in the plane of p and q, and turns the vectors' columns alike. */
function rotate(a: number[][], v: number[][], p: number, q: number): void {
  const off = a[p]![q]!;
  if (off === 0) return;
  const theta = (a[q]![q]! - a[p]![p]!) / (2 * off);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1), s = t * c;
  for (const row of [...a, ...v]) {
    const [x, y] = [row[p]!, row[q]!];
    row[p] = c * x - s * y;
    row[q] = s * x + c * y;
  }
  for (let k = 0; k < a.length; k++) {
    const [x, y] = [a[p]![k]!, a[q]![k]!];
    a[p]![k] = c * x - s * y;
    a[q]![k] = s * x + c * y;
  }
  // Exactly zero in exact arithmetic; what rounding leaves would keep the sweeps going.
  a[p]![q] = a[q]![p] = 0;
}

function withSign(vector: number[]): number[] {
  const largest = vector.reduce((a, b) => Math.abs(b) > Math.abs(a) ? b : a);
  return largest < 0 ? vector.map((x) => -x) : vector;
}
