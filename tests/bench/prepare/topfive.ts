/** Our side of bench:prepare: prepares a folder in this process and says what that took. */
import { TextLineStream } from "@std/streams/text-line-stream";
import process from "node:process";
import { DEFAULT_MAX_PIXELS } from "../../../shared/image/decode.ts";
import { prepare } from "../../../training/prepare/prepare.ts";
import type { PrepareRequest, PrepareResult } from "../prepare.ts";

/** The most memory that the process ever had, bytes. */
function peakBytes(): number {
  const status = Deno.readTextFileSync("/proc/self/status");
  return 1024 * Number(/^VmHWM:\s+(\d+)/m.exec(status)![1]);
}

async function measure({ folder, side, processes }: PrepareRequest): Promise<PrepareResult> {
  const out = await Deno.makeTempDir();
  const before = process.cpuUsage();
  try {
    const { report, seconds } = await prepare({
      source: folder,
      folder: out,
      workers: processes,
      settings: {
        side,
        channels: 3,
        seed: 1,
        validationShare: 0,
        testShare: 0,
        shardBytes: 256e6,
        maxPixels: DEFAULT_MAX_PIXELS,
      },
    });
    const { user, system } = process.cpuUsage(before);
    return {
      images: report.images.read,
      seconds,
      cpuSeconds: (user + system) / 1e6,
      peakBytes: peakBytes(),
      bytes: report.bytes,
    };
  } finally {
    await Deno.remove(out, { recursive: true });
  }
}

console.log(JSON.stringify({ hello: `topfive prepare, Deno ${Deno.version.deno}` }));
const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream())
  .pipeThrough(new TextLineStream());
for await (const line of lines) {
  const answer = await measure(JSON.parse(line)).then(
    (result) => ({ result }),
    (error) => ({ error: error.message }),
  );
  console.log(JSON.stringify(answer));
}
