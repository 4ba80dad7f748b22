import { Counter, Gauge, type Registry } from "./prometheus.ts";

/** A metric whose values are looked up when somebody reads it: what it counts is kept elsewhere. */
export interface Collected {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
  /** Tells every value that there is at this moment; what is told no more is gone. */
  readonly collect: (
    tell: (labels: Readonly<Record<string, string>>, value: number) => void,
  ) => void;
}

export function collectedGauge(registry: Registry, { collect, labelNames, ...named }: Collected) {
  new Gauge({
    ...named,
    labelNames: [...labelNames ?? []],
    registers: [registry],
    collect() {
      this.reset();
      collect((labels, value) => this.set(labels, value));
    },
  });
}

export function collectedCounter(registry: Registry, { collect, labelNames, ...named }: Collected) {
  new Counter({
    ...named,
    labelNames: [...labelNames ?? []],
    registers: [registry],
    collect() {
      this.reset();
      collect((labels, value) => this.inc(labels, value));
    },
  });
}
