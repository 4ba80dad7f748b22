/**
 * What a million answers cost. Prices are public list prices without free tiers, network and taxes; each
 * has its source and the day on which it was read, because they change: check before you count on them.
 */
export interface Host {
  readonly name: string;
  readonly source: string;
  readonly read: string;
  /** Dollars (or euros, see `currency`) for a million requests. */
  readonly perMillionRequests: number;
  readonly perCoreSecond: number;
  readonly perGibSecond: number;
  readonly currency: "$" | "€";
  /** Share of the paid time that is work: 1 where idle time costs nothing. */
  readonly busy: number;
  /** Smallest memory that brings a whole core, GiB. */
  readonly leastGib: number;
}

const HOUR = 3600;

export const HOSTS: readonly Host[] = [
  {
    name: "Google Cloud Run, request-based",
    source: "cloud.google.com/run/pricing, tier 1",
    read: "2026-11-28",
    perMillionRequests: 0.40,
    perCoreSecond: 0.000024,
    perGibSecond: 0.0000025,
    currency: "$",
    busy: 1,
    leastGib: 0.5,
  },
  {
    name: "AWS Lambda, x86",
    source: "wring.co/blog/aws-lambda-pricing-guide of 2026-03-08; a core from 1,769 MB",
    read: "2026-11-28",
    perMillionRequests: 0.20,
    perCoreSecond: 0,
    perGibSecond: 0.0000166667,
    currency: "$",
    busy: 1,
    leastGib: 1769 / 1024,
  },
  {
    name: "Deno Deploy Pro, beyond what is included",
    source: "API Evangelist's list of deno.com/pricing of 2026-05",
    read: "2026-11-28",
    perMillionRequests: 2,
    perCoreSecond: 0.05 / HOUR,
    perGibSecond: 0.016 / HOUR,
    currency: "$",
    busy: 1,
    leastGib: 0.5,
  },
  {
    name: "Hetzner Cloud CX23, two shared cores, half busy",
    source:
      "docs.cnap.tech/compute/providers/hetzner, €0.006 an hour; new orders cost more since 2026-06-15",
    read: "2026-11-28",
    perMillionRequests: 0,
    perCoreSecond: 0.006 / HOUR / 2,
    perGibSecond: 0,
    currency: "€",
    busy: 0.5,
    leastGib: 0,
  },
];

/** What one service does on one core. */
export interface Capacity {
  readonly answersPerSecond: number;
  readonly peakBytes: number;
}

/** The price of a million answers, each of which keeps a core busy for its share of a second. */
export function costOfMillion(host: Host, { answersPerSecond, peakBytes }: Capacity): number {
  const seconds = 1e6 / answersPerSecond / host.busy;
  // Memory is sold in steps; half as much again as was measured, so that a large photograph fits.
  const gib = Math.max(host.leastGib, Math.ceil(1.5 * peakBytes / 2 ** 28) / 4);
  return host.perMillionRequests + seconds * (host.perCoreSecond + gib * host.perGibSecond);
}
