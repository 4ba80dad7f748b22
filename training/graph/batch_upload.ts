/** What a step brings to the GPU: records or images, labels, what was drawn, the step's uniform. */
import { plainColors } from "../augment/draw.ts";
import { storageBuffer } from "../gpu/buffers.ts";
import { type Precision, toStored } from "../gpu/precision.ts";
import { toStorage } from "../ops/layout.ts";
import { elementsOf, type Shape } from "../ops/op.ts";
import { STEP_BYTES, type StepValues, writeStep } from "../ops/step.ts";

/** A batch as bytes to be cropped, or as images that are ready. */
export type InputBatch =
  & { readonly labels: Uint32Array }
  & (
    | {
      readonly records: Uint8Array;
      readonly crops: Uint32Array;
      /** [batch, 4], see `drawColors`; without them colours stay as they are. */
      readonly colors?: Float32Array | undefined;
    }
    | { readonly images: Float32Array }
  );

/** What of a step changes from one to the next. */
export type StepPlace = Pick<StepValues, "learningRate" | "seed" | "step">;

export interface UploadSizes {
  /** Images of a part. */
  readonly images: number;
  /** One image as the network sees it. */
  readonly input: Shape;
  /** Of one image. */
  readonly recordBytes: number;
  /** Of ready images. */
  readonly precision: Precision | undefined;
}

/** Which part of the batch, how many of its images are real, and where ready images go. */
export interface UploadPart {
  readonly part: number;
  readonly count: number;
  readonly images: GPUBuffer;
}

/**
 * The buffers that a step is uploaded to. All goes through memory that is made once: a step of
 * training allocates nothing here.
 */
export class BatchUpload {
  /** "records", "crops", "colors", "labels" and the uniform "step". */
  readonly buffers: ReadonlyMap<string, GPUBuffer>;
  /** Of a part. */
  readonly recordBytes: number;
  readonly #queue: GPUQueue;
  readonly #sizes: UploadSizes;
  readonly #records: Uint8Array<ArrayBuffer>;
  readonly #labels: Uint32Array<ArrayBuffer>;
  readonly #crops: Uint32Array<ArrayBuffer>;
  readonly #colors: Float32Array<ArrayBuffer>;
  readonly #plainColors: Float32Array<ArrayBuffer>;
  readonly #step = new DataView(new ArrayBuffer(STEP_BYTES));

  constructor(device: GPUDevice, sizes: UploadSizes) {
    const { images, recordBytes } = sizes;
    this.#queue = device.queue;
    this.#sizes = sizes;
    this.recordBytes = images * recordBytes;
    this.#records = new Uint8Array(Math.ceil(this.recordBytes / 4) * 4);
    this.#labels = new Uint32Array(images);
    this.#crops = new Uint32Array(images);
    this.#colors = new Float32Array(4 * images);
    this.#plainColors = plainColors(this.#colors);
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    this.buffers = new Map([
      ["records", storageBuffer(device, this.recordBytes, "records")],
      ["crops", storageBuffer(device, 4 * images, "crops")],
      ["colors", storageBuffer(device, 16 * images, "colors")],
      ["labels", storageBuffer(device, 4 * images, "labels")],
      ["step", device.createBuffer({ label: "step", size: STEP_BYTES, usage })],
    ]);
  }

  /** Arrays may end before the part does: what lies behind stays as it was. */
  write(batch: InputBatch, at: StepPlace, { part, count, images }: UploadPart): void {
    const first = part * this.#sizes.images;
    if ("images" in batch) {
      this.#writeImages(batch.images, first, images);
    } else {
      this.#writeRecords(batch.records, first * this.#sizes.recordBytes);
      this.#write("crops", copyFrom(batch.crops, first, this.#crops));
      const { colors } = batch;
      this.#write("colors", colors ? copyFrom(colors, 4 * first, this.#colors) : this.#plainColors);
    }
    this.#write("labels", copyFrom(batch.labels, first, this.#labels));
    writeStep(this.#step, at, part, count);
    this.#write("step", this.#step);
  }

  /** Tests and comparisons alone: their images are laid out anew. */
  #writeImages(values: Float32Array, first: number, to: GPUBuffer): void {
    const { input, images, precision } = this.#sizes;
    const floats = elementsOf(input);
    const own = values.subarray(first * floats, (first + images) * floats);
    const stored = toStorage(own, input, own.length / floats);
    this.#queue.writeBuffer(to, 0, toStored(stored, precision));
  }

  /** Straight from the batch; by way of staging where the bytes are no multiple of four. */
  #writeRecords(records: Uint8Array, first: number): void {
    const bytes = Math.min(this.recordBytes, records.length - first);
    if (bytes % 4 === 0) {
      const source = records as Uint8Array<ArrayBuffer>;
      this.#queue.writeBuffer(this.buffers.get("records")!, 0, source, first, bytes);
      return;
    }
    this.#records.set(records.subarray(first, first + bytes));
    this.#write("records", this.#records);
  }

  #write(name: string, data: ArrayBufferView<ArrayBuffer>): void {
    this.#queue.writeBuffer(this.buffers.get(name)!, 0, data);
  }
}

/** Fills `to` from a place in `from`. */
function copyFrom<Numbers extends Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>>(
  from: ArrayLike<number>,
  first: number,
  to: Numbers,
): Numbers {
  const count = Math.min(to.length, from.length - first);
  for (let i = 0; i < count; i++) to[i] = from[first + i]!;
  return to;
}
