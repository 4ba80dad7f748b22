import type { Prediction } from "./service.ts";

/** Characters of a bar that stands for 100 %. */
const WIDTH = 30;
/** Blocks of 0 to 7 eighths of a character, left to right. */
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

const GREEN = "\x1b[32m";
const PLAIN = "\x1b[0m";

/** A bar of `share`, 0 to 1, with a resolution of an eighth of a character. */
export function bar(share: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * WIDTH * 8);
  return "█".repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
}

/** One line a prediction: a tick before the right label, the bar, the probability. */
export function formatPredictions(
  predictions: readonly Prediction[],
  rightLabel: string,
  colour: boolean,
): string[] {
  const width = Math.max(...predictions.map(({ label }) => label.length));
  return predictions.map(({ label, probability }) => {
    const percent = `${(probability * 100).toFixed(1)} %`.padStart(7);
    const right = label === rightLabel;
    const line = `${right ? "✓" : " "} ${label.padEnd(width)}  ${
      bar(probability).padEnd(WIDTH)
    } ${percent}`;
    return colour && right ? `${GREEN}${line}${PLAIN}` : line;
  });
}
