// ./topfive doctor: what this machine offers, and what to do about what is missing.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { inspectDriver } from "./doctor/driver.ts";
import { inspectFolder, inspectPackages } from "./doctor/files.ts";
import { type Finding, reason, type Status } from "./doctor/finding.ts";
import { inspectGpu } from "./doctor/gpu.ts";
import { inspectMachine } from "./doctor/machine.ts";

const HELP = `Shows what this machine offers and what to do about what is missing

Usage: ./topfive doctor [--store DIR] [--json]

  --store DIR  the object store's folder to look at (default: TOPFIVE_STORE, or
               .topfive/store)
  --json       print the findings as JSON

Exits with 1 if something that topfive needs is missing`;

const MARK: Record<Status, string> = { ok: " ", note: "i", missing: "!" };

/** Deno's folder of npm packages, which no API names. */
async function npmCacheFolder(): Promise<string> {
  const info = new Deno.Command("deno", { args: ["info", "--json"], stdout: "piped" });
  const { stdout } = await info.output();
  return (JSON.parse(new TextDecoder().decode(stdout)) as { npmCache: string }).npmCache;
}

function print(findings: readonly Finding[]): void {
  const width = Math.max(...findings.map(({ name }) => name.length));
  let topic = "";
  for (const finding of findings) {
    if (finding.topic !== topic) console.log(`${topic && "\n"}${finding.topic}`);
    topic = finding.topic;
    console.log(`${MARK[finding.status]} ${finding.name.padEnd(width)}  ${finding.value}`);
    if (finding.advice) console.log(`${" ".repeat(width + 4)}→ ${finding.advice}`);
  }
  const missing = findings.filter(({ status }) => status === "missing").length;
  console.log(
    missing === 0 ? "\nNothing is missing" : `\n${missing} missing: see the lines with !`,
  );
}

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      store: { type: "string", default: Deno.env.get("TOPFIVE_STORE") || ".topfive/store" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const lockFile = join(import.meta.dirname!, "../deno.lock");
  const findings = [
    ...inspectMachine(),
    ...await inspectGpu(),
    ...inspectDriver(),
    ...inspectFolder("store", values.store),
    inspectPackages(lockFile, await npmCacheFolder()),
  ];
  if (values.json) console.log(JSON.stringify(findings, null, 2));
  else print(findings);
  return findings.some(({ status }) => status === "missing") ? 1 : 0;
}

if (import.meta.main) {
  try {
    Deno.exitCode = await main(Deno.args);
  } catch (error) {
    console.error(`Cannot examine this machine: ${reason(error)}`);
    Deno.exitCode = 2;
  }
}
