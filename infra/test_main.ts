// ./topfive test: every test in one `deno test`, closed by the one line that tools read.
import { existsSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { closingLine, readSummary } from "./test_summary.ts";

const HELP = `Runs the tests

Usage: ./topfive test [filter] [--slow]

  filter   a file or folder to run, or a part of the names of the tests to run (/.../ is a pattern)
  --slow   also those of tests/slow, which take minutes or install programs

The last line is "N passed, N failed", with ", N skipped" where tests need data that is not here`;

const root = resolve(import.meta.dirname!, "..");

const S3_SERVER = join(root, ".topfive/bin/versitygw");
const BROWSER = "/usr/bin/chromium";

/** What a test may touch: files, this machine's own ports, Deno, the start script, a browser. */
const PERMISSIONS = [
  "--no-prompt",
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-sys",
  "--allow-net=127.0.0.1,localhost",
  // Where ./topfive add onnxruntime-node installs it.
  `--allow-ffi=${join(root, ".topfive/onnxruntime-node")}`,
  `--allow-run=deno,${Deno.execPath()},/bin/sh,${join(root, "topfive")},${S3_SERVER},${BROWSER}`,
];

function testArguments(filter: string | undefined, slow: boolean): string[] {
  const args = ["test", ...PERMISSIONS];
  if (!slow) args.push("--ignore=tests/slow");
  if (filter !== undefined) {
    const path = resolve(filter);
    if (existsSync(path)) args.push(relative(root, path) || ".");
    else args.push("--filter", filter);
  }
  return args;
}

/** Runs Deno's test runner, passes its output on and returns what it printed. */
async function runTests(args: string[]): Promise<{ output: string; code: number }> {
  const terminal = Deno.stdout.isTerminal();
  const child = new Deno.Command("deno", {
    args,
    cwd: root,
    stdin: "null",
    stdout: "piped",
    env: terminal ? { FORCE_COLOR: "1" } : { NO_COLOR: "1" },
  }).spawn();
  const stop = () => child.kill("SIGTERM");
  Deno.addSignalListener("SIGTERM", stop);
  let output = "";
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    await Deno.stdout.write(chunk);
    // The summary is at the end; the output of a long run need not be kept.
    output = (output + decoder.decode(chunk, { stream: true })).slice(-65_536);
  }
  const { code } = await child.status;
  Deno.removeSignalListener("SIGTERM", stop);
  return { output, code };
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { slow: { type: "boolean", default: false }, help: { type: "boolean", short: "h" } },
    allowPositionals: true,
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  if (positionals.length > 1) throw new Error("more than one filter");
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    // Half of the tests compute on the GPU; leaving them out would call an unproven build green.
    console.error(
      "Cannot run the tests: no WebGPU adapter (./topfive doctor says what to install)",
    );
    console.log(closingLine({ passed: 0, failed: 1, ignored: 0 }));
    return 1;
  }
  const { description, vendor } = adapter.info;
  console.log(`Deno ${Deno.version.deno}, ${description || vendor}`);

  const { output, code } = await runTests(testArguments(positionals[0], values.slow));
  const summary = readSummary(output);
  if (summary && code === 0 && summary.passed + summary.ignored === 0) {
    console.error("No test ran: no file or name matches");
    console.log(closingLine(summary));
    return 1;
  }
  // A runner that failed without counting (a file that does not compile) is one failure.
  const failed = code === 0 ? 0 : 1;
  const counts = summary ?? { passed: 0, failed, ignored: 0 };
  console.log(closingLine({ ...counts, failed: Math.max(counts.failed, failed) }));
  return code;
}

try {
  Deno.exitCode = await main();
} catch (error) {
  console.error(`Cannot run the tests: ${error instanceof Error ? error.message : error}`);
  Deno.exitCode = 2;
}
