import { dirname } from "node:path";
import { countProgress, type Progress } from "../dataset/progress.ts";
import type { PublishedFile } from "./published_sets.ts";
import { differenceFrom } from "./verify.ts";

export interface DownloadOptions {
  /** Bytes of this file; the rate counts what came in this call. */
  readonly onProgress?: (progress: Progress) => void;
}

/** Times that a connection may break before the download is given up; what came is kept. */
const ATTEMPTS = 5;
/** A server that sends more than a mirror's packing could need sends something else. */
const MOST_OVERSIZE = 2;

/**
 * Downloads a file from the first of the addresses that has it, and checks it. What was received
 * before a connection broke, or in an earlier call, lies in `<path>.part` and is gone on with.
 *
 * @throws {Error} no address has the file, the connection broke again and again, or what came is
 * not the file that was published, which is then removed
 */
export async function download(
  file: PublishedFile,
  addresses: readonly string[],
  path: string,
  options: DownloadOptions = {},
): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  const part = `${path}.part`;
  const failures: string[] = [];
  for (const address of addresses) {
    try {
      await receive(address, file, part, options);
      return await accept(file, part, path, address);
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
  throw new Error(`Cannot fetch ${file.name}: ${failures.join("; ")}`);
}

/** Copies a file from a folder that has the same ones, and checks it. */
export async function copyFrom(file: PublishedFile, source: string, path: string): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  const part = `${path}.part`;
  await Deno.copyFile(source, part);
  await Deno.chmod(part, 0o644);
  try {
    await accept(file, part, path, source);
  } catch (error) {
    throw new Error(`Cannot fetch ${file.name}: ${(error as Error).message}`, { cause: error });
  }
}

async function accept(
  file: PublishedFile,
  part: string,
  path: string,
  from: string,
): Promise<void> {
  const difference = await differenceFrom(part, file);
  if (difference !== null) {
    await Deno.remove(part);
    throw new Error(`what ${from} gave is not what was published: ${difference}`);
  }
  await Deno.rename(part, path);
}

/** Until the file is whole; a broken connection is taken up again. */
async function receive(
  address: string,
  file: PublishedFile,
  part: string,
  { onProgress }: DownloadOptions,
): Promise<void> {
  const count = countProgress(file.bytes, onProgress);
  count(await sizeOf(part));
  for (let attempt = 1;; attempt++) {
    const before = await sizeOf(part);
    try {
      return await receiveOnce(address, file, part, count);
    } catch (error) {
      const isBroken = !(error instanceof RefusedError);
      // A connection that brought something is a new beginning.
      if ((await sizeOf(part)) > before) attempt = 0;
      if (isBroken && attempt < ATTEMPTS) continue;
      const { message } = error as Error;
      throw isBroken ? new Error(`${message} (run the command again to go on)`) : error;
    }
  }
}

/** The server's answer was no part of the file: asking again would not help. */
class RefusedError extends Error {}

/** One request for what is missing. */
async function receiveOnce(
  address: string,
  file: PublishedFile,
  part: string,
  count: (more: number) => void,
): Promise<void> {
  const start = await sizeOf(part);
  const response = await fetch(address, start > 0 ? { headers: { range: `bytes=${start}-` } } : {});
  try {
    // 416: there is nothing behind what we have, or all of it was wrong; the checksum decides.
    if (response.status === 416 && start > 0) return;
    if (!response.ok || !response.body) {
      throw new RefusedError(`${address} answered ${response.status} ${response.statusText}`);
    }
    const range = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "");
    const resumes = response.status === 206 && Number(range?.[1]) === start;
    if (!resumes) count(-start);
    await append(response.body, part, { resumes, most: MOST_OVERSIZE * file.bytes, count });
  } finally {
    await response.body?.cancel().catch(() => {});
  }
}

async function append(
  body: ReadableStream<Uint8Array>,
  part: string,
  { resumes, most, count }: { resumes: boolean; most: number; count: (more: number) => void },
): Promise<void> {
  using out = await Deno.open(part, { write: true, create: true, truncate: !resumes });
  let length = await out.seek(0, Deno.SeekMode.End);
  for await (const chunk of body) {
    if ((length += chunk.length) > most) {
      throw new RefusedError(`more than ${most} bytes came, which cannot be the file`);
    }
    for (let done = 0; done < chunk.length;) done += await out.write(chunk.subarray(done));
    count(chunk.length);
  }
}

async function sizeOf(path: string): Promise<number> {
  return await Deno.stat(path).then(({ size }) => size, () => 0);
}
