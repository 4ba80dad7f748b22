/**
 * The parts of prom-client that count. Its own entry also loads what forks processes and pushes to
 * gateways, with Node's modules for it: 20 ms and 6 MB of a cold start (15.1.3, 2026-11).
 * @module
 */
import type * as prometheus from "prom-client";
import counter from "prom-client/lib/counter.js";
import gauge from "prom-client/lib/gauge.js";
import histogram from "prom-client/lib/histogram.js";
import registry from "prom-client/lib/registry.js";

export const Counter: typeof prometheus.Counter = counter;
export const Gauge: typeof prometheus.Gauge = gauge;
export const Histogram: typeof prometheus.Histogram = histogram;
export const Registry: typeof prometheus.Registry = registry;

export type Counter = prometheus.Counter;
export type Histogram = prometheus.Histogram;
export type Registry = prometheus.Registry;
