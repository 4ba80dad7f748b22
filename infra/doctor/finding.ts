/** How a finding bears on running topfive: fine, worth knowing, or in the way. */
export type Status = "ok" | "note" | "missing";

/** One thing that the doctor looked at. */
export interface Finding {
  readonly topic: "program" | "machine" | "gpu" | "driver" | "files";
  readonly name: string;
  readonly status: Status;
  /** What was found, for a person to read. */
  readonly value: string;
  /** What to do about it; absent where nothing is to be done. */
  readonly advice?: string;
}

/** The message of whatever was thrown. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
