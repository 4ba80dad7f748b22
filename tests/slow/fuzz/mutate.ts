import { Random } from "../../../training/random.ts";

/** Numbers that lengths, counts and sizes are cut wrong at. */
const EDGES = [0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

/** A file changed at random: the same number makes the same change, so a finding can be repeated. */
export function mutate(seeds: readonly Uint8Array[], number: number): Uint8Array<ArrayBuffer> {
  const random = new Random(11, number);
  let bytes = new Uint8Array(seeds[random.below(seeds.length)]!);
  // Mostly few: what is changed much is refused by its header, and no decoder sees it.
  const changes = random.chance(0.7) ? 1 : 1 + random.below(4);
  for (let i = 0; i < changes && bytes.length > 8; i++) {
    const change = CHANGES[random.below(CHANGES.length)]!;
    bytes = change(bytes, random, seeds);
  }
  return bytes;
}

type Change = (
  bytes: Uint8Array<ArrayBuffer>,
  random: Random,
  seeds: readonly Uint8Array[],
) => Uint8Array<ArrayBuffer>;

const CHANGES: readonly Change[] = [
  flipBits,
  // Most of what decoders trust stands in the first bytes.
  (bytes, random) => flipBits(bytes, random, Math.min(bytes.length, 128)),
  cutOff,
  edgeNumber,
  repeatPart,
  removePart,
  splice,
];

function flipBits(bytes: Uint8Array<ArrayBuffer>, random: Random, within: unknown = undefined) {
  const end = typeof within === "number" ? within : bytes.length;
  for (let left = random.chance(0.5) ? 1 : 1 + random.below(16); left > 0; left--) {
    bytes[random.below(end)]! ^= 1 << random.below(8);
  }
  return bytes;
}

function cutOff(bytes: Uint8Array<ArrayBuffer>, random: Random) {
  return bytes.slice(0, 1 + random.below(bytes.length));
}

function edgeNumber(bytes: Uint8Array<ArrayBuffer>, random: Random) {
  const view = new DataView(bytes.buffer);
  const place = random.below(Math.min(bytes.length - 4, random.chance(0.5) ? 256 : bytes.length));
  const value = EDGES[random.below(EDGES.length)]!;
  const little = random.chance(0.5);
  if (random.chance(0.5)) view.setUint16(place, value & 0xffff, little);
  else view.setUint32(place, value, little);
  return bytes;
}

/** Nests and repeats chunks, segments, directories and frames. */
function repeatPart(bytes: Uint8Array<ArrayBuffer>, random: Random) {
  const start = random.below(bytes.length);
  const part = bytes.slice(start, start + 1 + random.below(512));
  const place = random.below(bytes.length);
  const times = 1 + random.below(8);
  return joined(bytes.subarray(0, place), ...Array(times).fill(part), bytes.subarray(place));
}

function removePart(bytes: Uint8Array<ArrayBuffer>, random: Random) {
  const start = random.below(bytes.length);
  return joined(bytes.subarray(0, start), bytes.subarray(start + 1 + random.below(64)));
}

function splice(bytes: Uint8Array<ArrayBuffer>, random: Random, seeds: readonly Uint8Array[]) {
  const other = seeds[random.below(seeds.length)]!;
  const tail = other.subarray(random.below(other.length));
  return joined(bytes.subarray(0, 1 + random.below(bytes.length)), tail);
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
