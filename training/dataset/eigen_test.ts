import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { symmetricEigen } from "./eigen.ts";

Deno.test("symmetricEigen() solves a matrix whose eigenvalues are known", () => {
  // Eigenvalues 2 - √2, 2, 2 + √2.
  const { values, vectors } = symmetricEigen([[2, -1, 0], [-1, 2, -1], [0, -1, 2]]);
  [2 + Math.SQRT2, 2, 2 - Math.SQRT2].forEach((value, k) =>
    assertAlmostEquals(values[k]!, value, 1e-14)
  );
  const half = Math.SQRT1_2;
  [half, 0, -half].forEach((x, i) =>
    assertAlmostEquals(Math.abs(vectors[1]![i]!), Math.abs(x), 1e-14)
  );
});

Deno.test("symmetricEigen() reproduces the colours of ImageNet as fb.resnet.torch publishes them", () => {
  // datasets/imagenet.lua: eigenvalues and eigenvectors of pixels in 0 to 1.
  const values = [0.2175, 0.0188, 0.0045];
  const vectors = [[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [
    -0.5836,
    -0.6948,
    0.4203,
  ]];
  const matrix = vectors.map((row) =>
    vectors.map((column) =>
      values.reduce((sum, value, k) => sum + value * (row[k]! * column[k]!), 0)
    )
  );
  const found = symmetricEigen(matrix);
  values.forEach((value, k) => {
    assertAlmostEquals(found.values[k]!, value, 1e-4);
    const dot = found.vectors[k]!.reduce((sum, x, i) => sum + x * vectors[i]![k]!, 0);
    assertAlmostEquals(Math.abs(dot), 1, 1e-3);
    const largest = found.vectors[k]!.reduce((a, b) => Math.abs(b) > Math.abs(a) ? b : a);
    assert(largest > 0, "the sign is not fixed");
  });
});

Deno.test("symmetricEigen() takes diagonal, one by one and degenerate matrices", () => {
  assertEquals(symmetricEigen([[1, 0], [0, 5]]), { values: [5, 1], vectors: [[0, 1], [1, 0]] });
  assertEquals(symmetricEigen([[7]]), { values: [7], vectors: [[1]] });
  const { values } = symmetricEigen([[1, 1, 1], [1, 1, 1], [1, 1, 1]]);
  [3, 0, 0].forEach((value, k) => assertAlmostEquals(values[k]!, value, 1e-14));
});

Deno.test("symmetricEigen() rejects what is not symmetric", () => {
  assertThrows(() => symmetricEigen([[1, 2], [3, 1]]), RangeError, "not symmetric");
  assertThrows(() => symmetricEigen([[1, 2]]), RangeError, "not symmetric");
});
