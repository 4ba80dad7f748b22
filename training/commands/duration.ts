const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/**
 * Milliseconds of a duration as people write it: 90s, 15m, 24h, 7d, or 0.
 *
 * @throws {SyntaxError} naming the option.
 */
export function parseDuration(action: string, option: string, text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? [];
  if (number !== undefined) return Number(number) * UNITS[unit as keyof typeof UNITS];
  if (text === "0") return 0;
  throw new SyntaxError(
    `Cannot ${action}: ${option} is ${text} (expected a duration such as 90s, 15m, 24h or 7d)`,
  );
}
