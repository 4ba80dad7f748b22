import { Cron } from "croner";

/** The last of the windows that passed, and how many passed with it. */
export interface PassedWindows {
  readonly latest: Date;
  readonly count: number;
}

/**
 * The times of a cron expression (five fields, or six with seconds) in a time zone. A time that the
 * change to summer time leaves out is that of the change; one that comes twice in autumn is its first
 * coming, unless the expression means every hour.
 */
export class Windows {
  readonly #cron: Cron;

  /** @throws {SyntaxError} where the expression or the zone cannot be read, or no time fits. */
  constructor(expression: string, timeZone: string) {
    const refuse = (why: string, cause?: unknown) =>
      new SyntaxError(`Cannot read --cron "${expression}" in ${timeZone}: ${why}`, { cause });
    try {
      this.#cron = new Cron(expression, { timezone: timeZone, paused: true });
      if (this.#cron.nextRun() !== null) return;
    } catch (cause) {
      throw refuse((cause as Error).message.replace(/^\w+: /, ""), cause);
    }
    throw refuse("no time fits it");
  }

  /** The first window after a time. */
  next(after: Date): Date {
    return this.#cron.nextRun(after)!;
  }

  /** The windows after `since` until `now`, or null where there was none. */
  passed(since: Date, now: Date): PassedWindows | null {
    let latest: Date | null = null;
    let count = 0;
    for (let next = this.next(since); next <= now; next = this.next(next)) {
      latest = next;
      count++;
    }
    return latest && { latest, count };
  }
}
