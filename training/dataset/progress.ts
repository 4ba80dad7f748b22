export interface Progress {
  done: number;
  total: number;
  /** Since the start of the work. */
  perSecond: number;
}

/** A function that counts what was done and reports it, together with the rate, at each call. */
export function countProgress(
  total: number,
  onProgress: ((progress: Progress) => void) | undefined,
): (more: number) => void {
  const start = performance.now();
  let done = 0;
  return (more) => {
    done += more;
    const seconds = Math.max((performance.now() - start) / 1000, 1e-3);
    onProgress?.({ done, total, perSecond: done / seconds });
  };
}
