/** Fields of one log line: what JSON can hold, in the order in which they are printed. */
export type LogFields = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** One line an event. Never given image bytes, keys or addresses of stores with a password. */
export interface Log {
  info(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** Where lines go and how they look. */
export interface LogOptions {
  /** True: one JSON object a line; false: time, level, event, then `name=value`. */
  json: boolean;
  /** Takes one line without its newline. */
  write?: (line: string) => void;
  /** The time of a line; given by tests. */
  now?: () => Date;
}

/** A log that writes each event as one line, standard output unless told otherwise. */
export function createLog(
  { json, write = (line) => console.log(line), now = () => new Date() }: LogOptions,
): Log {
  const line = (level: "info" | "error", event: string, fields: LogFields = {}) => {
    const time = now().toISOString();
    if (json) return write(JSON.stringify({ time, level, event, ...fields }));
    const pairs = Object.entries(fields).map(([name, value]) => ` ${name}=${plain(value)}`);
    write(`${time} ${level} ${event}${pairs.join("")}`);
  };
  return {
    info: (event, fields) => line("info", event, fields),
    error: (event, fields) => line("error", event, fields),
  };
}

/** A value with anything but plain characters is quoted, so that no input can forge a line. */
function plain(value: LogFields[string]): string {
  const text = typeof value === "object" ? value.join(",") : String(value);
  return /^[\w./:,+%@-]+$/.test(text) ? text : JSON.stringify(text);
}
