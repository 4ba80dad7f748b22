/**
 * TensorBoard's event files: TFRecord frames (tensorflow/core/lib/io/record_writer.h) of `Event`
 * messages (tensorflow/core/util/event.proto), of which only scalars are written.
 * @module
 */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { join } from "node:path";
import { crc32c } from "./crc32c.ts";

/** Field numbers of event.proto and summary.proto. */
const EVENT = { wallTime: 1, step: 2, fileVersion: 3, summary: 5 } as const;
const SUMMARY_VALUE = 1;
const VALUE = { tag: 1, simpleValue: 2 } as const;

export type Scalars = Readonly<Record<string, number>>;

/** Appends scalars to a file of their own in a run; TensorBoard reads all files of a folder as one. */
export class EventFile {
  readonly path: string;
  #begun = false;

  /** @param time seconds since 1970, of the beginning; part of the name, by which files are ordered */
  constructor(folder: string, time: number) {
    const stamp = String(Math.floor(time)).padStart(10, "0");
    this.path = join(folder, `events.out.tfevents.${stamp}.topfive`);
  }

  /** @param time seconds since 1970 */
  async write(step: number, time: number, scalars: Scalars): Promise<void> {
    const frames = this.#begun ? [] : [frame(versionEvent(time))];
    this.#begun = true;
    const bytes = concat([...frames, frame(scalarEvent(step, time, scalars))]);
    await Deno.writeFile(this.path, bytes, { append: true });
  }
}

/** The first record of every file. */
function versionEvent(time: number): Uint8Array {
  return new BinaryWriter()
    .tag(EVENT.wallTime, WireType.Bit64).double(time)
    .tag(EVENT.fileVersion, WireType.LengthDelimited).string("brain.Event:2")
    .finish();
}

function scalarEvent(step: number, time: number, scalars: Scalars): Uint8Array {
  const event = new BinaryWriter()
    .tag(EVENT.wallTime, WireType.Bit64).double(time)
    .tag(EVENT.step, WireType.Varint).int64(step)
    .tag(EVENT.summary, WireType.LengthDelimited).fork();
  for (const [tag, value] of Object.entries(scalars)) {
    event.tag(SUMMARY_VALUE, WireType.LengthDelimited).fork()
      .tag(VALUE.tag, WireType.LengthDelimited).string(tag)
      .tag(VALUE.simpleValue, WireType.Bit32).float(value)
      .join();
  }
  return event.join().finish();
}

/** Length, its masked checksum, the record, its masked checksum. */
function frame(record: Uint8Array): Uint8Array {
  const header = new DataView(new ArrayBuffer(12));
  header.setBigUint64(0, BigInt(record.length), true);
  header.setUint32(8, masked(new Uint8Array(header.buffer, 0, 8)), true);
  const footer = new DataView(new ArrayBuffer(4));
  footer.setUint32(0, masked(record), true);
  return concat([new Uint8Array(header.buffer), record, new Uint8Array(footer.buffer)]);
}

/** A checksum of data that holds checksums is masked (tensorflow/core/lib/hash/crc32c.h). */
function masked(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
