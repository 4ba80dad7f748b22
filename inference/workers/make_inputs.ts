import { free } from "../../shared/free.ts";
import { decodeImage } from "../../shared/image/decode.ts";
import { readImageHeader } from "../../shared/image/header.ts";
import {
  centreOffset,
  type PreprocessSpec,
  recordToTensor,
  toRecord,
} from "../../shared/image/preprocess.ts";
import { occluded } from "./occlusion.ts";

/** What is made of one image. */
export interface DecodeTask {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly spec: PreprocessSpec;
  readonly maxPixels: number;
  /**
   * "centre" is one input; "ten" the four corners and the centre, each also mirrored; "occluded" the
   * centre and then, for each patch of a grid, the centre with that patch covered.
   */
  readonly views: "centre" | "ten" | "occluded";
}

export interface NetworkInputs {
  /** [count, channels, crop, crop]. */
  readonly values: Float32Array<ArrayBuffer>;
  readonly count: number;
  /** Pixels that were stored in the file: what the decoder's memory grew by. */
  readonly pixels: number;
  /** When the worker began, in milliseconds since 1970. */
  readonly startedAt: number;
  /** Bytes to pixels, which a JPEG already scales down. */
  readonly decodeMs: number;
  /** Pixels to inputs: resize, crop, normalise. */
  readonly preprocessMs: number;
}

/**
 * Bytes to inputs.
 *
 * @throws {ImageError} when they are no readable image within the limit.
 */
export async function makeInputs(task: DecodeTask): Promise<NetworkInputs> {
  const started = performance.now();
  const { bytes, spec, maxPixels, views } = task;
  const { width, height } = readImageHeader(bytes);
  const image = await decodeImage(bytes, { maxPixels, minSide: spec.side });
  const decoded = performance.now();
  const record = toRecord(image, spec);
  const tensors = views === "ten"
    ? tenViews(record, spec)
    : views === "occluded"
    ? occluded(recordToTensor(record, spec), spec)
    : [recordToTensor(record, spec)];
  free(image.data);
  free(record);
  const values = tensors.length === 1 ? tensors[0]! : joined(tensors);
  return {
    values,
    count: tensors.length,
    pixels: width * height,
    startedAt: performance.timeOrigin + started,
    decodeMs: decoded - started,
    preprocessMs: performance.now() - decoded,
  };
}

/** Krizhevsky et al. 2012, section 4.1: corners and centre, and their reflections. */
function tenViews(record: Uint8Array, spec: PreprocessSpec): Float32Array<ArrayBuffer>[] {
  const far = spec.side - spec.crop;
  const corners = [{ x: 0, y: 0 }, { x: far, y: 0 }, { x: 0, y: far }, { x: far, y: far }];
  return [...corners, centreOffset(spec)].flatMap((offset) => {
    const view = recordToTensor(record, spec, offset);
    return [view, mirrored(view, spec.crop)];
  });
}

function mirrored(planes: Float32Array, width: number): Float32Array<ArrayBuffer> {
  const result = new Float32Array(planes);
  for (let row = 0; row < result.length; row += width) result.subarray(row, row + width).reverse();
  return result;
}

function joined(tensors: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const length = tensors[0]!.length;
  const values = new Float32Array(length * tensors.length);
  tensors.forEach((tensor, index) => values.set(tensor, index * length));
  return values;
}
