import type { Progress } from "./progress.ts";

// A terminal line is redrawn at most this often; a log gets one line at the end.
const REDRAW_MS = 100;

/** Shows progress on stderr: a line that redraws itself on a terminal, one line at the end in a log. */
export function showProgress(verb: string, things: string): (progress: Progress) => void {
  const isTerminal = Deno.stderr.isTerminal();
  const encoder = new TextEncoder();
  let drawn = -Infinity;
  return ({ done, total, perSecond }) => {
    const isLast = done === total;
    const isDue = isTerminal && performance.now() - drawn >= REDRAW_MS;
    if (!isLast && !isDue) return;
    drawn = performance.now();
    const line = `${verb} ${done} of ${total} ${things}, ${Math.round(perSecond)}/s`;
    Deno.stderr.writeSync(
      encoder.encode(isTerminal ? `\r\x1b[K${line}${isLast ? "\n" : ""}` : `${line}\n`),
    );
  };
}
