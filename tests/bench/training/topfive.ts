// Our own trainer in a process of its own, under the same protocol as the peers.
import { parsePrecision } from "../../../training/commands/arguments.ts";
import { openGpu, requirePrecision } from "../../../training/gpu/device.ts";
import { Engine } from "../../../training/graph/engine.ts";
import { type Graph, parameterCount } from "../../../training/graph/graph.ts";
import { initialValues, layOutParameters } from "../../../training/graph/parameters.ts";
import { drawCrops } from "../../../training/augment/draw.ts";
import { MODELS } from "../../../training/models/models.ts";
import { loadTiles } from "../../../training/tuner/load_tiles.ts";
import { VERSION } from "../../../training/version.ts";
import { networkOf } from "./networks.ts";
import { answerRequests } from "../answer_requests.ts";
import {
  LEARNING_RATE,
  peakResidentBytes,
  stepRate,
  type StepRequest,
  type StepResult,
} from "./step_protocol.ts";

/** Weights, gradients, momenta, in float16 half of the weights once more. */
const ARENAS = { f32: 3, f16: 3.5 } as const;
const DECAY = 0.0005;
/** Share of the loss that the step of the check is to take away. */
const FALL = 0.02;

const gpu = await openGpu();
/** The one argument; float32 without. */
const precision = parsePrecision("measure", Deno.args[0]);
requirePrecision(gpu, precision);
await answerRequests(`topfive ${VERSION} ${precision}, ${gpu.description}`, measure);

/**
 * A step is what training does: bytes uploaded, cropped and mirrored on the GPU, forward, backward,
 * update. Reading files and decoding are not part of it.
 */
async function measure(request: StepRequest): Promise<StepResult> {
  const { net, batch } = request;
  const graph = networkOf(request);
  const { crop, channels, defaults: { side, randomCrop, flip } } = MODELS[net];
  const preprocess = {
    side,
    crop,
    channels,
    mean: Array(channels).fill(127.5),
    std: Array(channels).fill(64),
  };
  const tiles = await loadTiles({ ...gpu, precision }, graph, batch);
  const options = { batch, preprocess, momentum: 0.9, decay: DECAY, tiles, precision };
  const engine = await Engine.create(gpu, graph, options);
  try {
    const data = noiseRecords(side * side * channels, batch, graph.output.shape.channels);
    const crops = new Uint32Array(batch);
    const firstLoss = await checkStep(engine, graph, { ...data, crops });
    let step = 0;
    let lastLoss = Number.NaN;
    const { imagesPerSecond, steps } = await stepRate(request, async (count) => {
      for (let i = 0; i < count; i++, step++) {
        drawCrops(crops, preprocess, { randomCrop, flip }, { seed: 1, step });
        engine.trainStep({ ...data, crops }, { learningRate: LEARNING_RATE, seed: 1, step });
      }
      lastLoss = await meanLoss(engine);
    });
    const slots = engine.trainingPlan.slots.reduce((sum, bytes) => sum + bytes, 0);
    return {
      imagesPerSecond,
      steps,
      parameters: parameterCount(graph),
      firstLoss,
      lastLoss,
      tiles: tiles.size,
      residentBytes: await peakResidentBytes(),
      ...(gpu.family === "software"
        ? {}
        : { deviceBytes: ARENAS[precision] * engine.arena.bytes + slots }),
    };
  } finally {
    engine.close();
  }

  /** Of the steps since the last look. */
  async function meanLoss(engine: Engine): Promise<number> {
    const { loss, images } = await engine.takeTotals();
    if (!Number.isFinite(loss)) throw new Error(`the loss is ${loss}`);
    return loss / images;
  }
}

/**
 * Whether forward, backward and update belong together: one step from a standstill changes the loss
 * by gradient times change of the parameters, to first order. Both losses are of the same images
 * and the same dropout. Leaves the engine with fresh parameters and gives the first loss.
 *
 * @throws {Error} where it does not, or a parameter has no gradient.
 */
async function checkStep(
  engine: Engine,
  graph: Graph,
  batch: { records: Uint8Array; labels: Uint32Array; crops: Uint32Array },
): Promise<number> {
  const arena = layOutParameters(graph);
  const values = initialValues(arena, 1);
  engine.loadParameters(values);
  const at = { learningRate: 0, seed: 1, step: 0 };
  const lossOf = async () => {
    const { loss, images } = await engine.takeTotals();
    return loss / images;
  };
  await engine.takeTotals();
  engine.trainStep(batch, at, { update: false });
  const before = await lossOf();
  const gradients = await engine.readGradients();
  // Change of the loss per unit of rate, by the gradients.
  let slope = 0;
  let fixed = 0;
  for (const { name, spec } of arena.slots) {
    const gradient = gradients.get(name)!;
    const weights = values.get(name)!;
    const { rateMultiplier, constantRate, decayMultiplier } = spec.update;
    const decay = DECAY * decayMultiplier;
    let own = 0;
    let square = 0;
    gradient.forEach((g, i) => {
      own += g * (g + decay * weights[i]!);
      square += g * g;
    });
    if (!(square > 0)) {
      throw new Error(`the gradient of ${name} is ${square === 0 ? "zero" : square}`);
    }
    // What a constant rate takes away does not depend on the rate that is looked for.
    if (constantRate === null) slope += rateMultiplier * own;
    else fixed += constantRate * own;
  }
  const learningRate = Math.max(0, FALL * before - fixed) / slope;
  engine.trainStep(batch, { ...at, learningRate });
  await lossOf();
  engine.trainStep(batch, at, { update: false });
  const fall = (before - await lossOf()) / before;
  if (!(fall > FALL / 2 && fall < FALL * 2)) {
    throw new Error(`a step takes ${fall} of the loss away (its gradients say ${FALL})`);
  }
  engine.loadParameters(values);
  const resting = [...values].map(([name, { length }]) =>
    [name, new Float32Array(length)] as const
  );
  engine.loadMomenta(new Map(resting));
  return before;
}

function noiseRecords(bytes: number, batch: number, classes: number) {
  let state = 1;
  const next = () => (state = Math.imul(state, 1664525) + 1013904223 >>> 0) >>> 16;
  const records = new Uint8Array(batch * bytes);
  for (let i = 0; i < records.length; i++) records[i] = next();
  return { records, labels: Uint32Array.from({ length: batch }, () => next() % classes) };
}
