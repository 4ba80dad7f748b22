/** The best that an engine does with batches, without HTTP, decoding or waiting: what a service is held to. */
import { fromFileUrl } from "@std/path";
import { DENO_FLAGS } from "../deno_program.ts";
import { NotHere, Peer, type PeerCommand } from "../peer.ts";
import type { BenchModel } from "./models.ts";

export interface BatchRequest {
  /** Path of the ONNX file. */
  readonly model: string;
  /** Path of the manifest. */
  readonly manifest: string;
  readonly batch: number;
  readonly threads: number;
  readonly seconds: number;
}

export interface BatchRate {
  readonly engine: string;
  readonly threads: number;
  readonly batch: number;
  readonly imagesPerSecond: number;
}

const BATCHES = [1, 4, 8];
const LIMIT_SECONDS = 120;

/** Rates of each engine that is here, and a note on each that is not. */
export async function batchRates(
  { weights, manifest }: BenchModel,
  { seconds, python }: { seconds: number; python: string },
): Promise<{ rates: BatchRate[]; notes: string[] }> {
  const rates: BatchRate[] = [];
  const notes: string[] = [];
  for (const threads of new Set([1, navigator.hardwareConcurrency])) {
    for (const command of [onnxruntimeWeb(threads), onnxruntimePython(python)]) {
      await ratesOf(command, threads).catch((error) => {
        if (!(error instanceof NotHere)) throw error;
        notes.push(`not here: ${command.program}: ${error.message}`);
      });
    }
  }
  return { rates, notes: [...new Set(notes)] };

  async function ratesOf(command: PeerCommand, threads: number): Promise<void> {
    const peer = await Peer.start(command);
    try {
      for (const batch of BATCHES) {
        const request: BatchRequest = { model: weights, manifest, batch, threads, seconds };
        const imagesPerSecond = await peer.ask<number>(request, LIMIT_SECONDS);
        rates.push({ engine: peer.greeting, threads, batch, imagesPerSecond });
      }
    } finally {
      await peer.close();
    }
  }
}

function onnxruntimeWeb(threads: number): PeerCommand {
  const program = fromFileUrl(import.meta.resolve("./onnxruntime_web_batches.ts"));
  const args = ["run", ...DENO_FLAGS, "--allow-all", program, String(threads)];
  return { program: Deno.execPath(), args };
}

function onnxruntimePython(python: string): PeerCommand {
  return {
    program: python,
    args: [fromFileUrl(import.meta.resolve("./onnxruntime_batches.py"))],
  };
}
