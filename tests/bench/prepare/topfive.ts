/** Our side of bench:prepare: prepares a folder in this process and says what that took. */
import process from "node:process";
import { answerRequests } from "../answer_requests.ts";
import { memoryOf } from "../process_use.ts";
import { DEFAULT_MAX_PIXELS } from "../../../shared/image/image.ts";
import { prepare } from "../../../training/prepare/prepare.ts";
import type { PrepareRequest, PrepareResult } from "../prepare.ts";

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
      peakBytes: (await memoryOf("self")).peak,
      bytes: report.bytes,
    };
  } finally {
    await Deno.remove(out, { recursive: true });
  }
}

await answerRequests(`topfive prepare, Deno ${Deno.version.deno}`, measure);
