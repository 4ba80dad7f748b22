/** How inputs of a fully connected layer move together: sums of the products of those in one block. */
export class InputMoments {
  readonly #inputs: number;
  readonly #block: number;
  /** [block][block] of each block. */
  readonly #sums: readonly Float64Array[];

  constructor(inputs: number, block: number) {
    this.#inputs = inputs;
    this.#block = block;
    const blocks = Math.ceil(inputs / block);
    this.#sums = Array.from({ length: blocks }, (_, index) => {
      const size = Math.min(block, inputs - index * block);
      return new Float64Array(size * size);
    });
  }

  /** @param values the layer's inputs for one image or for several, one after another */
  add(values: Float32Array): void {
    for (let first = 0; first < values.length; first += this.#inputs) {
      this.#sums.forEach((sums, index) => {
        const start = first + index * this.#block;
        const size = Math.sqrt(sums.length);
        for (let i = 0; i < size; i++) {
          const value = values[start + i]!;
          // Behind a ReLU many are.
          if (value === 0) continue;
          for (let j = 0; j < size; j++) sums[i * size + j]! += value * values[start + j]!;
        }
      });
    }
  }

  /**
   * How each input of a block is told by those behind it: coefficients c [size][size], above the
   * diagonal, of the least squared error of x_i - Σ_{j > i} c_ij x_j.
   *
   * @param damping of the mean square, added to each input's: what few images show is not all true
   */
  regressions(index: number, damping: number): Float64Array {
    const sums = this.#sums[index]!;
    const size = Math.sqrt(sums.length);
    let trace = 0;
    for (let i = 0; i < size; i++) trace += sums[i * size + i]!;
    const added = damping * trace / size || 1;
    // Sums + added I = U D Uᵀ with ones on the diagonal of U; the coefficients are those of -U⁻¹.
    const upper = new Float64Array(size * size);
    const diagonal = new Float64Array(size);
    for (let j = size - 1; j >= 0; j--) {
      for (let i = j; i >= 0; i--) {
        let rest = sums[i * size + j]! + (i === j ? added : 0);
        for (let k = j + 1; k < size; k++) {
          rest -= diagonal[k]! * upper[i * size + k]! * upper[j * size + k]!;
        }
        if (i === j) diagonal[j] = rest;
        upper[i * size + j] = i === j ? 1 : rest / diagonal[j]!;
      }
    }
    const coefficients = new Float64Array(size * size);
    for (let i = 0; i < size; i++) {
      for (let j = i + 1; j < size; j++) {
        let sum = upper[i * size + j]!;
        for (let k = i + 1; k < j; k++) sum -= coefficients[i * size + k]! * upper[k * size + j]!;
        coefficients[i * size + j] = sum;
      }
    }
    return coefficients;
  }
}
