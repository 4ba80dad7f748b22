/** A signal that Ctrl-C or SIGTERM sets. Disposing of it gives both back their usual effect. */
export interface StopSignal extends Disposable {
  readonly signal: AbortSignal;
}

/** The first Ctrl-C or SIGTERM sets the signal; the second ends the process as usual. */
export function stopSignal(onStop: () => void): StopSignal {
  const controller = new AbortController();
  const names = ["SIGINT", "SIGTERM"] as const;
  const release = () => {
    for (const name of names) Deno.removeSignalListener(name, stop);
  };
  const stop = () => {
    release();
    onStop();
    controller.abort();
  };
  for (const name of names) Deno.addSignalListener(name, stop);
  return { signal: controller.signal, [Symbol.dispose]: release };
}
