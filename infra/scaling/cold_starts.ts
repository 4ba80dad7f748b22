/**
 * A discrete-event simulation of many cold starts that read one model from one store. No randomness:
 * starts come evenly, and what differs between them is whom they share the store with.
 */
import { FairShare } from "./fair_share.ts";

/** What one start does, measured (measured.json); seconds and bytes. */
export interface ColdStart {
  /** Process start until the first request to the store. */
  readonly beforeStore: number;
  /** Small requests one after the other: pointers and manifest. */
  readonly requests: number;
  readonly weightsBytes: number;
  /** From the last byte to the first answer: session, self-test, decoder. */
  readonly afterStore: number;
}

export interface Store {
  /** Bytes a second, all clients together. */
  readonly bytesPerSecond: number;
  /** Bytes a second of one client: its own network. */
  readonly clientBytesPerSecond: number;
  /** Until the first byte of an answer. */
  readonly latency: number;
  /** Requests a second; more wait in line. */
  readonly requestsPerSecond: number;
}

export interface Scenario {
  readonly start: ColdStart;
  readonly store: Store;
  readonly starts: number;
  /** Seconds over which they come evenly. */
  readonly within: number;
  /**
   * Machines or regions that keep the weights once one of their starts has read them: the rest of a
   * group waits for that one and reads from it at its own rate. As many as starts: no cache.
   */
  readonly caches: number;
}

export interface Outcome {
  /** Seconds from a start's beginning to its first answer, ascending. */
  readonly ready: readonly number[];
  /** Seconds from the first beginning to the last answer. */
  readonly end: number;
  /** What the store sent. */
  readonly storeBytes: number;
  readonly storeRequests: number;
  /** Most transfers from the store at one time. */
  readonly mostTogether: number;
}

type Event = { readonly at: number; readonly run: (at: number) => void };

export function simulate({ start, store, starts, within, caches }: Scenario): Outcome {
  const link = new FairShare(store.bytesPerSecond, store.clientBytesPerSecond);
  const queue: Event[] = [];
  const later = (at: number, run: Event["run"]) => {
    const place = queue.findIndex((event) => event.at > at);
    queue.splice(place < 0 ? queue.length : place, 0, { at, run });
  };
  const ready: number[] = [];
  const waiting = new Map<number, ((at: number) => void)[]>();
  const cached = new Set<number>();
  let [end, storeBytes, storeRequests, mostTogether, requestFree] = [0, 0, 0, 0, 0];

  /** The time at which a request that is made at `at` is answered. */
  const ask = (at: number): number => {
    storeRequests++;
    requestFree = Math.max(requestFree, at) + 1 / store.requestsPerSecond;
    return requestFree + store.latency;
  };
  const fromCache = start.weightsBytes / store.clientBytesPerSecond;

  for (let index = 0; index < starts; index++) {
    const began = index * within / starts;
    const group = index % caches;
    const finish = (at: number) => {
      ready.push(at + start.afterStore - began);
      end = Math.max(end, at + start.afterStore);
    };
    const readWeights = (at: number) => {
      if (cached.has(group)) return later(at + fromCache, finish);
      const others = waiting.get(group);
      if (others) {
        others.push((arrived) => later(arrived + fromCache, finish));
        return;
      }
      waiting.set(group, []);
      later(ask(at), (first) => {
        storeBytes += start.weightsBytes;
        link.begin(first, start.weightsBytes, (arrived) => {
          cached.add(group);
          for (const go of waiting.get(group)!) go(arrived);
          finish(arrived);
        });
        mostTogether = Math.max(mostTogether, link.active);
      });
    };
    const readSmall = (at: number, left: number) => {
      if (left === 0) readWeights(at);
      else later(ask(at), (answered) => readSmall(answered, left - 1));
    };
    later(began + start.beforeStore, (at) => readSmall(at, start.requests));
  }

  while (queue.length > 0 || link.active > 0) {
    if (link.next() <= (queue[0]?.at ?? Infinity)) link.finish();
    else {
      const { at, run } = queue.shift()!;
      run(at);
    }
  }
  ready.sort((a, b) => a - b);
  return { ready, end, storeBytes, storeRequests, mostTogether };
}

/** The value below which a share of the sorted values lies. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}
