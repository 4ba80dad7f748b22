import type { Store } from "./cold_starts.ts";

const GIGABIT = 1e9 / 8;

/**
 * Stores that are simulated. Amazon S3 answers 5,500 reads a second for each prefix, with 100 to 200 ms
 * until the first byte (its guide "Best practices design patterns: optimizing performance", read
 * 2026-11), and has no limit on bytes that a bucket of this size would meet: 100 Gbit/s here. Servers of
 * one's own are as wide as their network; versitygw answered small reads of this project in under 1 ms.
 */
export const STORES: Readonly<Record<string, Store>> = {
  "Amazon S3": {
    bytesPerSecond: 100 * GIGABIT,
    clientBytesPerSecond: 1 * GIGABIT,
    latency: 0.15,
    requestsPerSecond: 5500,
  },
  "own, 10 Gbit/s": {
    bytesPerSecond: 10 * GIGABIT,
    clientBytesPerSecond: 1 * GIGABIT,
    latency: 0.002,
    requestsPerSecond: 3000,
  },
  "own, 1 Gbit/s": {
    bytesPerSecond: 1 * GIGABIT,
    clientBytesPerSecond: 1 * GIGABIT,
    latency: 0.002,
    requestsPerSecond: 3000,
  },
};
