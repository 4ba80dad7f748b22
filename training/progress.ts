/** The line that says how far a run is: one line rewritten on a terminal, one now and then in a log. */

const LOG_INTERVAL_MS = 5000;

export interface TrainingProgress {
  readonly epoch: number;
  readonly epochs: number;
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  readonly top1Error: number;
  readonly imagesPerSecond: number;
  readonly secondsLeft: number;
}

export function formatProgress(progress: TrainingProgress): string {
  const { epoch, epochs, step, steps, loss, top1Error, imagesPerSecond, secondsLeft } = progress;
  return [
    `epoch ${epoch}/${epochs}`,
    `step ${step}/${steps}`,
    `loss ${loss.toFixed(4)}`,
    `error ${(100 * top1Error).toFixed(1)} %`,
    `${imagesPerSecond.toFixed(imagesPerSecond < 100 ? 1 : 0)} images/s`,
    `${formatDuration(secondsLeft)} left`,
  ].join("  ");
}

/** "0:07", "12:30", "3:05:00"; "?" where it is not known. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [
    Math.floor(whole / 3600),
    Math.floor(whole / 60) % 60,
    whole % 60,
  ];
  const two = (value: number) => String(value).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** Writes to standard error, so that standard output stays for results. */
export class ProgressLine {
  readonly #terminal = Deno.stderr.isTerminal();
  #lastLog = -Infinity;
  #open = false;

  update(text: string): void {
    if (this.#terminal) {
      this.#write(`\r\x1b[K${text}`);
      this.#open = true;
    } else if (performance.now() - this.#lastLog >= LOG_INTERVAL_MS) {
      this.#lastLog = performance.now();
      this.#write(`${text}\n`);
    }
  }

  /** A line that stays. */
  print(text: string): void {
    this.#write(`${this.#open ? "\r\x1b[K" : ""}${text}\n`);
    this.#open = false;
  }

  /** Leaves the line as it is: what comes next begins a new one. */
  end(): void {
    if (this.#open) this.#write("\n");
    this.#open = false;
  }

  #write(text: string): void {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  }
}
