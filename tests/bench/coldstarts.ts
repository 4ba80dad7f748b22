// ./topfive bench coldstarts: what a cold start takes, and what a thousand of them do to a bucket.
import { percentile, simulate } from "../../infra/scaling/cold_starts.ts";
import { costOfMillion, HOSTS } from "../../infra/scaling/prices.ts";
import { STORES } from "../../infra/scaling/stores.ts";
import measured from "../../infra/scaling/measured.json" with { type: "json" };
import { measure, type Measured } from "./coldstarts/measure.ts";
import { type Bench, type BenchOptions, runBench, select } from "./bench.ts";
import { describeMachine, formatMachine } from "./machine.ts";
import { digits, formatTable } from "./table.ts";

const HELP = `What a cold start of the service takes, and what a thousand of them do to a bucket

Usage: ./topfive bench coldstarts [options]

Measures the bundled service (./topfive bundle --warm) that reads full-size AlexNet, as float32 and as int8,
from a real S3 server on this machine, in seconds of processor time: from the start of the process to
the first request to the store, and from there to the first answer (the median of 7; --quick: 3), and
100 answers on one core. Then simulates a thousand starts within a minute, each on a core of its own,
with these figures (--only simulate: with those of
infra/scaling/measured.json) against stores of several widths, without a cache, with one on each of 50
machines, and with one in each of 5 regions.

Examples
  ./topfive bench coldstarts --quick
  ./topfive bench coldstarts --only simulate`;

const RUNS = { quick: 3, full: 7 } as const;
const STARTS = 1000;
const WITHIN_SECONDS = 60;
const CACHES = [["none", STARTS], ["50 machines", 50], ["5 regions", 5]] as const;

const bench: Bench = { name: "bench:coldstarts", help: HELP, run };

async function run(options: BenchOptions): Promise<void> {
  const parts = select(["measure", "simulate"], options.only, (name) => name);
  let found: Measured = measured;
  const head: string[] = [];
  if (parts.includes("measure")) {
    head.push(...formatMachine(await describeMachine("none")));
    found = await measure(options.quick ? RUNS.quick : RUNS.full);
  }
  const outcomes = parts.includes("simulate") ? simulateAll(found.starts) : [];
  if (options.json) return console.log(JSON.stringify({ ...found, outcomes }, null, 2));
  console.log(formatStarts(head, found));
  console.log("\n" + formatCosts(found.capacities));
  if (outcomes.length > 0) console.log("\n" + formatOutcomes(outcomes));
}

interface Row {
  readonly model: string;
  readonly store: string;
  readonly cache: string;
  readonly medianSeconds: number;
  readonly p99Seconds: number;
  readonly endSeconds: number;
  readonly storeGigabytes: number;
  readonly storeRequests: number;
  readonly mostTogether: number;
}

function simulateAll(starts: Measured["starts"]): Row[] {
  return Object.entries(starts).flatMap(([model, start]) =>
    Object.entries(STORES).flatMap(([name, store]) =>
      CACHES.map(([cache, caches]) => {
        const outcome = simulate({ start, store, starts: STARTS, within: WITHIN_SECONDS, caches });
        return {
          model,
          store: name,
          cache,
          medianSeconds: percentile(outcome.ready, 0.5),
          p99Seconds: percentile(outcome.ready, 0.99),
          endSeconds: outcome.end,
          storeGigabytes: outcome.storeBytes / 1e9,
          storeRequests: outcome.storeRequests,
          mostTogether: outcome.mostTogether,
        };
      })
    )
  );
}

function formatStarts(head: readonly string[], { starts, capacities }: Measured): string {
  return formatTable({
    head,
    columns: [
      "model",
      "before the store, s",
      "small reads",
      "weights, MB",
      "after the store, s",
      "answers/s of one core",
      "peak MB",
    ],
    rows: Object.entries(starts).map(([name, start]) => [
      name,
      digits(start.beforeStore),
      String(start.requests),
      digits(start.weightsBytes / 1e6),
      digits(start.afterStore),
      digits(capacities[name]?.answersPerSecond),
      digits((capacities[name]?.peakBytes ?? NaN) / 1e6),
    ]),
    notes: [],
  });
}

function formatCosts(capacities: Measured["capacities"]): string {
  return formatTable({
    head: [
      "A million answers at list prices (infra/scaling/prices.ts), without network and free tiers",
    ],
    columns: ["host", ...Object.keys(capacities)],
    rows: HOSTS.map((host) => [
      host.name,
      ...Object.values(capacities).map((capacity) =>
        `${host.currency}${costOfMillion(host, capacity).toFixed(2)}`
      ),
    ]),
    notes: [],
  });
}

function formatOutcomes(rows: readonly Row[]): string {
  return formatTable({
    head: [
      `${STARTS} cold starts within ${WITHIN_SECONDS} s, simulated; seconds to the first answer`,
    ],
    columns: ["model", "store", "cache", "p50", "p99", "all done", "GB sent", "reads", "at once"],
    rows: rows.map((row) => [
      row.model,
      row.store,
      row.cache,
      digits(row.medianSeconds),
      digits(row.p99Seconds),
      digits(row.endSeconds),
      digits(row.storeGigabytes),
      row.storeRequests.toLocaleString("en"),
      String(row.mostTogether),
    ]),
    notes: [],
  });
}

if (import.meta.main) await runBench(bench, Deno.args);
