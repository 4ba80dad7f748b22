import { assert, assertEquals, assertRejects } from "@std/assert";
import { DirectoryStore } from "../../../shared/object_store/directory.ts";
import type { ObjectStore } from "../../../shared/object_store/object_store.ts";
import { inFolder } from "../../fixtures/drawn_run.ts";
import { runSchedule, type ScheduleEvent, type ScheduleOptions } from "./run_schedule.ts";
import { readState } from "./schedule_state.ts";
import { Windows } from "./windows.ts";

const HOUR = 3_600_000;
const HOURLY = new Windows("0 * * * *", "UTC");

/** A clock that sleeping moves, and a schedule on it that ends after some hours. */
function scheduled(
  store: ObjectStore,
  changes: Partial<ScheduleOptions> & { start?: string } = {},
) {
  const { start = "2026-11-01T00:30:00Z", ...options } = changes;
  let now = Date.parse(start);
  const stop = new AbortController();
  const events: ScheduleEvent[] = [];
  const runs: string[] = [];
  const clock = {
    now: () => new Date(now),
    sleep: async (milliseconds: number) => {
      await new Promise((resolve) => setTimeout(resolve, 0));
      now += milliseconds;
    },
    random: () => 0.5,
  };
  const all: ScheduleOptions = {
    ...{ store, model: "pets", windows: HOURLY, catchUpMs: 24 * HOUR, jitterMs: 0 },
    ...{ watchMs: HOUR / 4, once: false, by: "ann@here", signal: stop.signal, clock },
    retrain: () => {
      runs.push(clock.now().toISOString().slice(11, 16));
      return Promise.resolve(0);
    },
    log: (event) => events.push(event),
    ...options,
  };
  return {
    ...{ events, runs, clock, stop },
    forHours: async (hours: number) => {
      const end = now + hours * HOUR;
      const sleep = clock.sleep;
      clock.sleep = async (milliseconds) => {
        await sleep(milliseconds);
        if (now >= end) stop.abort();
      };
      return await runSchedule(all);
    },
    options: all,
  };
}

function reasons(events: readonly ScheduleEvent[]): string[] {
  return events.flatMap((each) => each.event === "begins" ? [each.why] : []);
}

const withStore = (test: (store: DirectoryStore) => Promise<void>) => async () =>
  await inFolder((path) => test(new DirectoryStore(path("store"))));

Deno.test(
  "runSchedule() runs at each window, and none that were before its first start",
  withStore(async (store) => {
    const schedule = scheduled(store);
    await schedule.forHours(3.1);
    assertEquals(schedule.runs, ["01:00", "02:00", "03:00"]);
    assertEquals(schedule.events[0], { event: "waiting", next: "2026-11-01T01:00:00.000Z" });
    const { state } = (await readState(store, "pets"))!;
    assertEquals([state.lastWindow, state.run?.exitCode], ["2026-11-01T03:00:00.000Z", 0]);
  }),
);

Deno.test(
  "runSchedule() makes one run of the windows that passed during a long one",
  withStore(async (store) => {
    let working = 0;
    const schedule = scheduled(store, {
      retrain: async () => {
        assertEquals(++working, 1, "two at once");
        schedule.runs.push(schedule.clock.now().toISOString().slice(11, 16));
        await schedule.clock.sleep(2.25 * HOUR);
        working--;
        return 3;
      },
    });
    assertEquals(await schedule.forHours(6), 3);
    assertEquals(schedule.runs, ["01:00", "03:15", "05:30"]);
    assertEquals(
      reasons(schedule.events)[1],
      "window of 2026-11-01T03:00:00.000Z, and 1 that were missed",
    );
  }),
);

Deno.test(
  "runSchedule() catches up after a standstill, once, and gives up what is too long ago",
  withStore(async (store) => {
    await scheduled(store).forHours(0.6);
    const later = scheduled(store, { start: "2026-11-01T05:10:00Z" });
    await later.forHours(0.5);
    assertEquals(later.runs, ["05:10"]);
    assertEquals(reasons(later.events), [
      "window of 2026-11-01T05:00:00.000Z, and 3 that were missed",
    ]);
    const strict = scheduled(store, { start: "2026-11-01T07:30:00Z", catchUpMs: 600_000 });
    await strict.forHours(0.6);
    assertEquals(strict.runs, ["08:00"]);
  }),
);

Deno.test(
  "runSchedule() of several machines gives each window to one",
  withStore(async (store) => {
    const schedulers = ["ann@here", "bob@there", "eve@else"].map((by) => scheduled(store, { by }));
    await Promise.all(schedulers.map((schedule) => schedule.forHours(5.1)));
    assertEquals(
      schedulers.flatMap(({ runs }) => runs).sort(),
      ["01:00", "02:00", "03:00", "04:00", "05:00"],
    );
  }),
);

Deno.test(
  "runSchedule() goes on with a run that a scheduler left, once nobody holds its lease any more",
  withStore(async (store) => {
    const killed = scheduled(store, {
      retrain: () => {
        killed.stop.abort();
        return Promise.resolve(143);
      },
    });
    await killed.forHours(2);
    assertEquals((await readState(store, "pets"))!.state.run?.endedAt, null);
    const codes = [4, 4, 0];
    const next = scheduled(store, {
      start: "2026-11-01T01:20:00Z",
      by: "bob@there",
      retrain: () => {
        next.runs.push(next.clock.now().toISOString().slice(11, 16));
        return Promise.resolve(codes[next.runs.length - 1]!);
      },
    });
    assertEquals(await next.forHours(0.5), 0);
    assertEquals(next.runs, ["01:20", "01:21", "01:22"]);
    assertEquals([...new Set(reasons(next.events))], [
      "a run of 2026-11-01T01:00:00.000Z (window of 2026-11-01T01:00:00.000Z) did not end",
    ]);
    assert((await readState(store, "pets"))!.state.run?.endedAt);
  }),
);

Deno.test(
  "runSchedule() runs at events too, waits its jitter and ends at once where it is asked to",
  withStore(async (store) => {
    const looks: string[] = [];
    const schedule = scheduled(store, {
      jitterMs: HOUR / 6,
      look: () => {
        looks.push(schedule.clock.now().toISOString().slice(11, 16));
        return Promise.resolve(looks.length === 2 ? "60 new images" : null);
      },
    });
    await schedule.forHours(1);
    assertEquals(schedule.runs, ["00:45", "01:05"]);
    assertEquals(reasons(schedule.events)[0], "60 new images");
    assertEquals(looks.slice(0, 2), ["00:30", "00:45"]);

    const once = scheduled(store, { start: "2026-11-01T04:10:00Z", once: true });
    assertEquals(await runSchedule(once.options), 0);
    assertEquals(once.runs, ["04:10"]);
    const nothing = scheduled(store, { start: "2026-11-01T04:20:00Z", once: true });
    assertEquals(await runSchedule(nothing.options), 0);
    assertEquals(nothing.runs, []);
  }),
);

Deno.test(
  "runSchedule() goes on while the store is away, but not where it never was there",
  withStore(async (store) => {
    let reads = 0;
    const shaky = new Proxy(store, {
      get: (target, name) => {
        if (name !== "get") return Reflect.get(target, name).bind?.(target);
        return (key: string) => {
          if (++reads > 1 && reads % 2 === 0) throw new Error("Cannot read: no answer");
          return target.get(key);
        };
      },
    });
    const schedule = scheduled(shaky);
    await schedule.forHours(2.6);
    assertEquals(schedule.runs.length, 3);
    assert(schedule.events.some(({ event }) => event === "failed"));
    const never = scheduled(new DirectoryStore("/dev/null/store"));
    await assertRejects(() => never.forHours(1));
  }),
);
