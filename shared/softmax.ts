/**
 * Scores to probabilities, row by row and in place: [rows, classes], the largest score subtracted
 * first so that no exponential overflows.
 */
export function softmax(scores: Float32Array, classes: number): Float32Array {
  for (let start = 0; start < scores.length; start += classes) {
    const row = scores.subarray(start, start + classes);
    const most = row.reduce((most, score) => Math.max(most, score), -Infinity);
    let sum = 0;
    for (let index = 0; index < classes; index++) {
      const exponential = Math.exp(row[index]! - most);
      row[index] = exponential;
      sum += exponential;
    }
    for (let index = 0; index < classes; index++) row[index] = row[index]! / sum;
  }
  return scores;
}

/** Whether every row is one of probabilities, of a network whose softmax is its own. */
export function areProbabilities(rows: Float32Array, classes: number): boolean {
  for (let start = 0; start < rows.length; start += classes) {
    const row = rows.subarray(start, start + classes);
    const sum = row.reduce((total, value) => total + value, 0);
    if (Math.abs(sum - 1) > 1e-3 || row.some((value) => !(value >= 0 && value <= 1))) return false;
  }
  return true;
}
