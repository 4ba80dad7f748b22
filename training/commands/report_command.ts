import { join } from "node:path";
import { writeReport } from "../report/report.ts";
import { readArguments } from "./arguments.ts";
import { runCommand } from "./command.ts";

const HELP = `Draws runs as one HTML page

Usage: topfive report RUN… [--out FILE]

  RUN         run folders that topfive train made; several are compared in one page
  --out FILE  the page to write (default: report.html in the first run)

Curves of loss, error, rate and throughput, norms by layer, the first layer's filters, and of runs
that topfive evaluate has measured or train --profile has timed, confusion, calibration, the worst
mistakes and the time of each layer. The page is one file and asks nothing of the network.

Example
  topfive report runs/a runs/b --out compared.html`;

interface Given {
  readonly folders: readonly string[];
  readonly out: string;
}

export function reportCommand(args: readonly string[]): Promise<number> {
  return runCommand({ name: "report", help: () => HELP, read, run }, args);
}

function read(args: readonly string[]): Given {
  const { options, positionals: folders } = readArguments("report", args, { out: "value" });
  const [first] = folders;
  if (first === undefined) {
    throw new SyntaxError("Cannot report: expected one run folder or several");
  }
  return { folders, out: options.out ?? join(first, "report.html") };
}

async function run({ folders, out }: Given): Promise<number> {
  await writeReport(folders, out);
  console.log(out);
  return 0;
}
