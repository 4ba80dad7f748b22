/** A signal that Ctrl-C or SIGTERM sets. Disposing of it gives both back their usual effect. */
export interface StopSignal extends Disposable {
  readonly signal: AbortSignal;
  /** As of a shell: 128 and the number of the signal that came; 0 where none did. */
  readonly exitCode: number;
}

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** The first Ctrl-C or SIGTERM sets the signal; the second ends the process as usual. */
export function stopSignal(onStop: () => void): StopSignal {
  const controller = new AbortController();
  let exitCode = 0;
  const stops = Object.entries(EXIT_CODES).map(([name, code]) => ({
    name: name as Deno.Signal,
    stop: () => {
      exitCode = code;
      release();
      onStop();
      controller.abort();
    },
  }));
  const release = () => {
    for (const { name, stop } of stops) Deno.removeSignalListener(name, stop);
  };
  for (const { name, stop } of stops) Deno.addSignalListener(name, stop);
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    [Symbol.dispose]: release,
  };
}
