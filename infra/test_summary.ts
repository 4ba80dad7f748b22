/** The counts of a test run; a test with steps counts as one. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly ignored: number;
}

const SUMMARY =
  /^(?:ok|FAILED) \| (\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed(?: \(\d+ steps?\))?(?: \| (\d+) ignored)?/gm;

/** Reads the last summary of `deno test` in `output`, with or without colours. */
export function readSummary(output: string): TestCounts | undefined {
  // deno-lint-ignore no-control-regex -- ESC begins every colour code.
  const plain = output.replaceAll(/\x1b\[[0-9;]*m/g, "");
  const last = [...plain.matchAll(SUMMARY)].at(-1);
  if (!last) return undefined;
  return { passed: Number(last[1]), failed: Number(last[2]), ignored: Number(last[3] ?? 0) };
}

/** "N passed, N failed", with ", N skipped" where tests were ignored. */
export function closingLine({ passed, failed, ignored }: TestCounts): string {
  return `${passed} passed, ${failed} failed${ignored > 0 ? `, ${ignored} skipped` : ""}`;
}
