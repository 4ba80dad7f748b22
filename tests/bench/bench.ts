/** What the four benches share: their options, how they end, and what a failure looks like. */
import { readArguments } from "../../training/commands/arguments.ts";
import { nearestName } from "../../training/nearest_name.ts";

export interface BenchOptions {
  /** Fewer and shorter measurements: figures to within a tenth or so. */
  readonly quick: boolean;
  /** One JSON document on standard output in place of the table. */
  readonly json: boolean;
  /** Rows whose name contains this. */
  readonly only: string;
  /** Python program that has PyTorch. */
  readonly python: string;
  /** In place of the bench's own batch sizes. */
  readonly batch: number | undefined;
}

export interface Bench {
  /** As it is typed after `deno task`: "bench:kernels". */
  readonly name: string;
  /** What it measures, how, and examples; the options are added. */
  readonly help: string;
  run(options: BenchOptions): Promise<void>;
}

const OPTIONS = {
  quick: "switch",
  json: "switch",
  only: "value",
  python: "value",
  batch: "value",
  help: "switch",
} as const;

const OPTIONS_HELP = `Options
  --quick         fewer and shorter measurements
  --only NAME     only rows whose name contains NAME
  --batch N       this batch size in place of the bench's own
  --python FILE   Python that has PyTorch (default: TOPFIVE_PYTHON, else python3)
  --json          one JSON document in place of the table`;

/** Runs a bench as a program: prints help, or the one line that says what is wrong. */
export async function runBench(bench: Bench, args: readonly string[]): Promise<void> {
  try {
    const options = readOptions(bench.name, args);
    if (options === "help") console.log(`${bench.help}\n\n${OPTIONS_HELP}`);
    else await bench.run(options);
  } catch (error) {
    const misused = error instanceof SyntaxError;
    const known = misused || error instanceof Error && /^Cannot /.test(error.message);
    console.error(known ? error.message : error);
    if (misused) console.error(`Try: deno task ${bench.name} --help`);
    Deno.exitCode = misused ? 2 : 1;
  }
}

/** @throws {SyntaxError} on an unknown option or a batch that is no whole number. */
export function readOptions(name: string, args: readonly string[]): BenchOptions | "help" {
  const action = `run ${name}`;
  const long = args.map((word) => word === "-h" ? "--help" : word);
  const { options, positionals } = readArguments(action, long, OPTIONS);
  if (options.help) return "help";
  if (positionals.length > 0) {
    throw new SyntaxError(`Cannot ${action}: ${positionals[0]} belongs to no option`);
  }
  const batch = options.batch === undefined ? undefined : Number(options.batch);
  if (batch !== undefined && !(Number.isInteger(batch) && batch > 0)) {
    throw new SyntaxError(
      `Cannot ${action}: --batch is ${options.batch} (expected a whole number, at least 1)`,
    );
  }
  return {
    quick: options.quick ?? false,
    json: options.json ?? false,
    only: options.only ?? "",
    python: options.python ?? Deno.env.get("TOPFIVE_PYTHON") ?? "python3",
    batch,
  };
}

/**
 * The items whose name contains `only`.
 *
 * @throws {SyntaxError} where there are none, with the names there are.
 */
export function select<Item>(
  items: readonly Item[],
  only: string,
  nameOf: (item: Item) => string,
): Item[] {
  const chosen = items.filter((item) => nameOf(item).includes(only));
  if (chosen.length > 0) return chosen;
  const names = [...new Set(items.map(nameOf))];
  const nearest = nearestName(only, names);
  const hint = nearest === undefined
    ? `expected part of ${names.join(", ")}`
    : `did you mean ${nearest}?`;
  throw new SyntaxError(`Cannot find ${JSON.stringify(only)} among the rows (${hint})`);
}
