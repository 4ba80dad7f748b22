/**
 * Tests only: runs one operator on the GPU, forward and then backward, with tensors in ONNX's
 * layouts, and checks what every operator owes: all of an output is written, padding stays zero,
 * backward reads no more than it declares.
 */
import { assert, assertEquals } from "@std/assert";
import { readBytes, storageBufferOf } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/device.ts";
import { encodeDispatches } from "../gpu/encode.ts";
import { PipelineCache } from "../gpu/pipelines.ts";
import { bytesOf, fromStored, toStored } from "../gpu/precision.ts";
import { prepareDispatches } from "../gpu/prepare.ts";
import {
  encodeLossScale,
  type LossScale,
  NO_LOSS_SCALE,
} from "../kernels/loss_scale/loss_scale.ts";
import { Random } from "../random.ts";
import { fromStorage, toStorage } from "./layout.ts";
import {
  floatsOf,
  imageShape,
  type Op,
  type OpContext,
  type OpDispatch,
  type OpTarget,
  type OpWork,
  outputBytes,
  type Shape,
  type TensorRef,
} from "./op.ts";
import { encodeStep, STEP_BYTES, type StepValues } from "./step.ts";

/** Images [batch, channels, height, width], or vectors [batch, channels]. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array;
}

export interface OpRun {
  readonly inputs: readonly Tensor[];
  /** Where they cannot be told from the tensors: flattened images. */
  readonly inputShapes?: readonly Shape[];
  /** In ONNX's layout. */
  readonly parameters?: readonly (Float32Array | Float64Array)[];
  /** Backward runs where they are given, or where `backward` asks for it (operators with a loss). */
  readonly gradOutputs?: readonly Tensor[];
  readonly backward?: boolean;
  readonly training?: boolean;
  readonly fusedRelu?: boolean;
  /** What the parameter gradients hold before and are added to, in ONNX's layout. */
  readonly accumulate?: readonly Float32Array[];
  readonly needsGradInput?: readonly boolean[];
  readonly target?: Partial<OpTarget>;
  readonly labels?: readonly number[];
  readonly lossBatch?: number;
  readonly lossScale?: LossScale;
  readonly stream?: number;
  readonly step?: Partial<StepValues>;
}

export interface OpResult {
  readonly outputs: Tensor[];
  /** Empty without backward; `undefined` where not needed. */
  readonly gradInputs: (Tensor | undefined)[];
  /** In ONNX's layout. */
  readonly gradParameters: Float32Array[];
  readonly saved: ArrayBuffer[];
  /** Three numbers an image. */
  readonly losses: Float32Array;
}

/** What unwritten memory holds: no honest result comes near it. */
const GARBAGE = 1e30;
const STEP: Omit<StepValues, "images"> = { learningRate: 0.01, seed: 1, step: 0, part: 0 };

const caches = new WeakMap<GPUDevice, PipelineCache>();

export async function runOp(gpu: Gpu, op: Op, run: OpRun): Promise<OpResult> {
  const { device } = gpu;
  const context = contextOf(gpu, op, run);
  const { batch, inputs, outputs } = context;
  const specs = op.parameters(inputs);
  const forward = op.forward(context);
  const withBackward = run.backward ?? run.gradOutputs !== undefined;
  const backward = withBackward ? op.backward(context) : { dispatches: [] };
  expectDeclaredReads(op, context, backward);

  const buffers = new Map<string, GPUBuffer>();
  const { precision } = context.target;
  const bytes = bytesOf(precision);
  const add = (key: string, data: Parameters<typeof storageBufferOf>[1]) =>
    buffers.set(key, storageBufferOf(device, data, key));
  const store = (key: string, data: Float32Array<ArrayBuffer>) =>
    add(key, toStored(data, precision));
  // In float16 it is infinite.
  const garbage = (key: string, bytes: number) =>
    add(key, new Float32Array(Math.max(1, Math.ceil(bytes / 4))).fill(GARBAGE));

  inputs.forEach((shape, i) => {
    store(`input ${i}`, toStorage(run.inputs[i]!.data, shape, batch));
    garbage(`gradInput ${i}`, batch * floatsOf(shape) * bytes);
  });
  outputs.forEach((shape, i) => {
    garbage(`output ${i}`, batch * floatsOf(shape) * outputBytes(op, context.target));
    const gradient = run.gradOutputs?.[i];
    if (gradient) store(`gradOutput ${i}`, toStorage(gradient.data, shape, batch));
  });
  specs.forEach((spec, i) => {
    store(`parameter ${i}`, spec.pack(Float32Array.from(run.parameters![i]!)));
    const before = run.accumulate?.[i];
    if (before) add(`gradParameter ${i}`, spec.pack(before));
    else garbage(`gradParameter ${i}`, spec.floats * 4);
  });
  (forward.savedBytes ?? []).forEach((bytes, i) => garbage(`saved ${i}`, bytes));
  // Scratch lives within one direction: each may have what the larger needs.
  for (const { scratchBytes = [] } of [forward, backward]) {
    scratchBytes.forEach((bytes, i) => {
      if (bytes > (buffers.get(`scratch ${i}`)?.size ?? 0)) garbage(`scratch ${i}`, bytes);
    });
  }
  if (run.labels) add("labels 0", Uint32Array.from(run.labels));
  garbage("losses 0", batch * 12);
  buffers.set("step 0", stepBuffer(device, { ...STEP, images: batch, ...run.step }));

  add("lossScale 0", new Uint8Array(encodeLossScale(run.lossScale ?? NO_LOSS_SCALE)));
  const inPlace = aliasUnwritten(buffers, forward, backward, inputs.length);
  await submit(gpu, [...forward.dispatches, ...backward.dispatches], buffers);

  const read = async (key: string) => await readBytes(device, buffers.get(key)!);
  const tensor = async (key: string, shape: Shape): Promise<Tensor> => {
    const isExact = key.startsWith("output") && op.exactOutputs;
    const stored = fromStored(await read(key), isExact ? "f32" : precision);
    expectZeroPadding(stored, shape, batch, `${op.type} ${key}`);
    return { shape: dimensionsOf(shape, batch), data: fromStorage(stored, shape, batch) };
  };
  const result: OpResult = {
    outputs: await Promise.all(outputs.map((shape, i) => tensor(`output ${i}`, shape))),
    gradInputs: withBackward
      ? await Promise.all(
        inputs.map(async (shape, i) =>
          context.needsGradInput[i] ? await tensor(`gradInput ${i}`, shape) : undefined
        ),
      )
      : [],
    gradParameters: withBackward
      ? await Promise.all(specs.map(async (spec, i) => {
        const stored = new Float32Array(await read(`gradParameter ${i}`));
        const values = spec.unpack(stored);
        assertEquals(spec.pack(values), stored, `${op.type}: padding of ${spec.name}'s gradient`);
        return values;
      }))
      : [],
    saved: await Promise.all((forward.savedBytes ?? []).map((_, i) => read(`saved ${i}`))),
    losses: new Float32Array(await read("losses 0")),
  };
  for (const [key, buffer] of buffers) if (!inPlace.has(key)) buffer.destroy();
  return result;
}

function contextOf(gpu: Gpu, op: Op, run: OpRun): OpContext {
  const inputs = run.inputShapes ?? run.inputs.map(({ shape }) => {
    const [, channels, height = 1, width = 1] = shape;
    return imageShape(channels!, height, width);
  });
  const batch = run.inputs[0]!.shape[0]!;
  return {
    target: { ...gpu, ...run.target },
    batch,
    inputs,
    outputs: op.outputShapes(inputs),
    training: run.training ?? true,
    fusedRelu: run.fusedRelu ?? false,
    needsGradInput: run.needsGradInput ?? inputs.map(() => true),
    accumulate: run.accumulate !== undefined,
    lossBatch: run.lossBatch ?? batch,
    stream: run.stream ?? 0,
  };
}

/** The memory plan may have given away what backward does not declare. */
function expectDeclaredReads(op: Op, { fusedRelu }: OpContext, { dispatches }: OpWork): void {
  const masks = fusedRelu && op.masksGradient;
  for (const { kernel, bindings } of dispatches) {
    for (const { buffer: { role } } of bindings) {
      assert(role !== "input" || op.backwardReads.inputs, `${kernel.label} reads the input`);
      assert(
        role !== "output" || op.backwardReads.outputs || masks,
        `${kernel.label} reads the output`,
      );
    }
  }
}

/**
 * An operator that never binds an output or an input's gradient works in place: the tensor is the
 * input, or the output's gradient, itself.
 */
function aliasUnwritten(
  buffers: Map<string, GPUBuffer>,
  forward: OpWork,
  backward: OpWork,
  inputs: number,
): Set<string> {
  const binds = ({ dispatches }: OpWork, role: string) =>
    dispatches.some(({ bindings }) => bindings.some(({ buffer }) => buffer.role === role));
  const aliased = new Set<string>();
  const alias = (key: string, to: string) => {
    const own = buffers.get(key), other = buffers.get(to);
    if (!own || !other || own.size !== other.size) return;
    own.destroy();
    buffers.set(key, other);
    aliased.add(key);
  };
  if (inputs !== 1) return aliased;
  if (!binds(forward, "output")) alias("output 0", "input 0");
  if (!binds(backward, "gradInput")) alias("gradInput 0", "gradOutput 0");
  return aliased;
}

function stepBuffer(device: GPUDevice, values: StepValues): GPUBuffer {
  const buffer = device.createBuffer({
    label: "step",
    size: STEP_BYTES,
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(buffer, 0, encodeStep(values));
  return buffer;
}

async function submit(
  gpu: Gpu,
  dispatches: readonly OpDispatch[],
  buffers: ReadonlyMap<string, GPUBuffer>,
): Promise<void> {
  const { device } = gpu;
  let pipelines = caches.get(device);
  if (!pipelines) caches.set(device, pipelines = new PipelineCache(device));
  device.pushErrorScope("validation");
  const prepared = await prepareDispatches(
    device,
    pipelines,
    dispatches,
    (ref: TensorRef) => bufferOf(buffers, ref),
  );
  const encoder = device.createCommandEncoder();
  encodeDispatches(encoder, prepared);
  device.queue.submit([encoder.finish()]);
  const error = await device.popErrorScope();
  assert(error === null, `The GPU refused the operator: ${error?.message}`);
}

function bufferOf(buffers: ReadonlyMap<string, GPUBuffer>, { role, index }: TensorRef): GPUBuffer {
  const buffer = buffers.get(`${role} ${index}`);
  assert(buffer, `The operator binds ${role} ${index}, which this run does not have`);
  return buffer;
}

function expectZeroPadding(stored: Float32Array, shape: Shape, batch: number, what: string): void {
  const values = fromStorage(stored, shape, batch);
  const clean = toStorage(values, shape, batch);
  const at = stored.findIndex((value, i) => value !== clean[i] && !Number.isNaN(value));
  assert(at < 0, `${what}: padding holds ${stored[at]} at ${at}`);
}

function dimensionsOf({ channels, height, width }: Shape, batch: number): number[] {
  return [batch, channels, height, width];
}

/** Asserts that max |actual - expected| is at most `relative` times max |expected|. */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { relative = 1e-5, message = "" }: { relative?: number; message?: string } = {},
): void {
  assertEquals(actual.length, expected.length, message);
  let worst = 0, largest = 0, at = 0;
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    // Written so that NaN counts as the worst.
    if (!(difference <= worst)) [worst, at] = [difference, i];
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  assert(
    worst <= relative * largest,
    `${message} [${at}] is ${actual[at]}, expected ${expected[at]}: off by ` +
      `${worst / largest} of the largest, ${largest} (allowed ${relative})`,
  );
}

/** Normal numbers times `scale`, rounded to float32. */
export function randomTensor(shape: readonly number[], seed: number, scale = 1): Tensor {
  const random = new Random(seed);
  const length = shape.reduce((product, size) => product * size, 1);
  return { shape, data: Float32Array.from({ length }, () => random.normal() * scale) };
}
