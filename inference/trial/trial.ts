import type { ModelManifest } from "../../shared/manifest.ts";
import { asVariant } from "../../shared/variants.ts";
import { messageOf } from "../../shared/message_of.ts";
import type { Classification, Prediction } from "../classifier.ts";
import { testPicture } from "../import/test_picture.ts";
import { ServiceProcess, TrialTimeout, within } from "./service_process.ts";

export interface TrialOptions {
  /** Address of the store. */
  readonly store: string;
  readonly manifest: ModelManifest;
  /** Further flags of `topfive serve`, such as `--memory` and `256MB`. */
  readonly serveArgs: readonly string[];
  readonly images: readonly { readonly file: string; readonly bytes: Uint8Array<ArrayBuffer> }[];
  /** Requests whose latency is measured, after the first answer. */
  readonly requests: number;
  /** Longest time for the start, and for each answer. */
  readonly timeoutMs: number;
}

/** Percentiles in milliseconds. */
interface Latency {
  readonly p50: number;
  readonly p95: number;
}

/** What a trial found. What was not reached is null. */
export interface TrialReport {
  readonly model: string;
  readonly version: string;
  /** The service said that the model is loaded. */
  readonly loaded: boolean;
  /**
   * Asked over HTTP; "none" where the manifest has none, and a drawn picture was asked instead. A
   * service also refuses by itself to load a model that fails it.
   */
  readonly selfTest: "passed" | "failed" | "none" | null;
  readonly passed: boolean;
  /** Why it did not pass. */
  readonly reason: string | null;
  /** True where time ran out: the same trial may pass on a machine that is less busy. */
  readonly timedOut: boolean;
  /** What answered. */
  readonly variant: string | null;
  readonly runtime: string | null;
  /** Start of the process to the end of the first answer. */
  readonly firstAnswerMs: number | null;
  readonly requests: number;
  /** Whole requests, one after another, seen from outside. */
  readonly latencyMs: Latency | null;
  /** The network's part of them, by the service's own clock. */
  readonly inferenceMs: Latency | null;
  /** Bytes; null where the system has no /proc. */
  readonly peakMemory: number | null;
  readonly steadyMemory: number | null;
  /** Of the form that answered. */
  readonly weightsBytes: number | null;
  /** The images that were given, with their answers. */
  readonly images: readonly ImageAnswer[];
}

interface ImageAnswer {
  readonly file: string;
  readonly predictions?: readonly Prediction[];
  readonly error?: string;
}

type Findings = { -readonly [Name in keyof TrialReport]: TrialReport[Name] };

/**
 * Starts the real service on one version, asks its self-test and the images over HTTP, and
 * measures. A model that cannot be served is a report, not an error.
 */
export async function tryModel(options: TrialOptions): Promise<TrialReport> {
  const { manifest: { name, version } } = options;
  const found: Findings = {
    model: name,
    version,
    loaded: false,
    selfTest: null,
    passed: false,
    reason: null,
    timedOut: false,
    variant: null,
    runtime: null,
    firstAnswerMs: null,
    requests: options.requests,
    latencyMs: null,
    inferenceMs: null,
    peakMemory: null,
    steadyMemory: null,
    weightsBytes: null,
    images: [],
  };
  const args = ["--store", options.store, "--model", name, "--model-version", version];
  await using service = await ServiceProcess.start([...args, ...options.serveArgs]);
  try {
    await ask(service, options, found);
    found.reason = failureOf(found);
    found.passed = found.reason === null;
  } catch (error) {
    found.timedOut = error instanceof TrialTimeout;
    found.reason = messageOf(error);
  }
  const { peak, resident } = await service.memory();
  found.peakMemory = peak;
  found.steadyMemory = resident;
  return found;
}

/** Fills in what the running service shows. */
async function ask(
  service: ServiceProcess,
  options: TrialOptions,
  found: Findings,
): Promise<void> {
  const { manifest, timeoutMs } = options;
  const url = await service.ready(timeoutMs);
  found.loaded = true;
  const { selfTest } = manifest;
  const picture = selfTest ? Uint8Array.fromBase64(selfTest.image) : testPicture();
  const first = await classify(url, picture, options);
  found.firstAnswerMs = round(performance.now() - service.startedAt);
  found.variant = first.variant;
  found.runtime = first.runtime;
  const form = asVariant(manifest, first.variant);
  found.weightsBytes = form.weights.byteLength;
  const right = form.selfTest && isRight(form.selfTest, first);
  found.selfTest = right === undefined ? "none" : right ? "passed" : "failed";
  const [whole, inference]: [number[], number[]] = [[], []];
  for (let request = 0; request < options.requests; request++) {
    const started = performance.now();
    const { timing } = await classify(url, picture, options);
    whole.push(performance.now() - started);
    inference.push(timing.inference_ms);
  }
  if (whole.length > 0) {
    found.latencyMs = latencyOf(whole);
    found.inferenceMs = latencyOf(inference);
  }
  const answers: ImageAnswer[] = [];
  for (const { file, bytes } of options.images) {
    answers.push(await answerTo(url, file, bytes, options));
  }
  found.images = answers;
}

/** What a client sends and gets; every class, because a self-test may name any. */
async function classify(
  url: string,
  image: Uint8Array<ArrayBuffer>,
  { manifest, timeoutMs }: TrialOptions,
): Promise<Classification> {
  const top = Math.min(manifest.labels.length, 1000);
  const response = await within(
    timeoutMs,
    fetch(`${url}v1/classify?top=${top}`, { method: "POST", body: image }),
    "the service did not answer",
  );
  if (response.ok) return await response.json();
  throw new RangeError(`the service answered ${response.status}: ${await response.text()}`);
}

/** One of the given images: what is wrong with it is its own answer. */
async function answerTo(
  url: string,
  file: string,
  bytes: Uint8Array<ArrayBuffer>,
  options: TrialOptions,
): Promise<ImageAnswer> {
  try {
    const { predictions } = await classify(url, bytes, options);
    return { file, predictions: predictions.slice(0, 5) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { file, error: error.message };
  }
}

function isRight(
  { top, tolerance }: NonNullable<ModelManifest["selfTest"]>,
  { predictions }: Classification,
): boolean {
  return top.every(({ index, probability }) => {
    const found = predictions.find((prediction) => prediction.index === index)?.probability;
    return found !== undefined && Math.abs(found - probability) <= tolerance;
  });
}

function failureOf({ selfTest, images }: Findings): string | null {
  if (selfTest === "failed") return "the self-test was answered otherwise over HTTP";
  const broken = images.find(({ error }) => error !== undefined);
  return broken === undefined ? null : `${broken.file}: ${broken.error}`;
}

function latencyOf(milliseconds: readonly number[]): Latency {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  const at = (share: number) =>
    round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!);
  return { p50: at(0.5), p95: at(0.95) };
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100;
}
