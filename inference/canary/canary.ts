import { createHash } from "node:crypto";
import { ImageError } from "../../shared/image/image.ts";
import type { CanaryReport } from "../../shared/registry/canary.ts";
import type { Pointer } from "../../shared/registry/pointer.ts";
import type { Classification } from "../classifier.ts";
import type { ServedModel } from "../models/served_model.ts";
import { ProblemError } from "../problem.ts";
import { Tally } from "./tally.ts";

/** How to ask a model about the image of a request. */
export interface Ask<Answer> {
  /** As a client's request. */
  forClient(model: ServedModel): Promise<Answer>;
  /** For comparison: outside the queue of requests, and counted by no one else. */
  aside(model: ServedModel): Promise<Classification>;
}

interface Answered {
  readonly classification: Classification;
  readonly cached: boolean;
}

export interface CanaryOptions {
  /** The pointer `candidate`, with a setting. */
  readonly pointer: Pointer;
  readonly champion: ServedModel["manifest"];
  /** Whether no request waits, so that a comparison slows none. */
  readonly idle: () => boolean;
  /**
   * How long no comparison begins after one, in the time that it took: comparisons compete with
   * requests for the processors, and 4 leaves requests four fifths of the time.
   */
  readonly rest?: number;
}

const REST = 4;

/**
 * A candidate beside its champion. Images are shared out by their hash, so that the same image gets
 * the same version's answer and ETag each time. A candidate that fails is not the client's problem:
 * the champion answers in its place.
 */
export class Canary {
  readonly #options: CanaryOptions;
  readonly #since = new Date().toISOString();
  readonly #champions = new Tally();
  readonly #candidates = new Tally();
  readonly #compared = { agreed: 0, differed: 0, newClass: 0 };
  #dropped = 0;
  #comparing = false;
  #restsUntil = 0;
  #model: ServedModel | undefined;
  #refusal: string | undefined;

  constructor(options: CanaryOptions) {
    this.#options = options;
  }

  get pointer(): Pointer {
    return this.#options.pointer;
  }

  get championVersion(): string {
    return this.#options.champion.version;
  }

  /** The candidate is loaded and has passed its self-test. */
  begin(model: ServedModel): void {
    this.#model = model;
  }

  /** The candidate cannot be loaded. */
  refuse(reason: string): void {
    this.#refusal = reason;
  }

  /**
   * Answers a request with one of the two, and compares with the other afterwards.
   *
   * @throws what the champion's answer throws, and what is the image's or the client's fault.
   */
  async route<Answer extends Answered>(
    champion: ServedModel,
    image: Uint8Array,
    ask: Ask<Answer>,
  ): Promise<Answer> {
    const candidate = this.#model;
    if (!candidate?.alive || champion.manifest.version !== this.championVersion) {
      return await ask.forClient(champion);
    }
    const { setting } = this.#required();
    const toCandidate = setting.mode === "share" && placeOf(image) < setting.share;
    if (!toCandidate) {
      const answer = await counted(this.#champions, () => ask.forClient(champion));
      if (setting.mode === "shadow") this.#compare(answer, candidate, ask);
      return answer;
    }
    try {
      const answer = await counted(this.#candidates, () => ask.forClient(candidate));
      this.#compare(answer, champion, ask);
      return answer;
    } catch (error) {
      if (!isModelsFault(error)) throw error;
      return await counted(this.#champions, () => ask.forClient(champion));
    }
  }

  report(): Omit<CanaryReport, "model" | "instance"> {
    const { setting, version, move } = this.#required();
    const state = this.#refusal !== undefined
      ? "refused"
      : this.#model === undefined
      ? "loading"
      : this.#model.alive
      ? "running"
      : "ended";
    const reason = state === "ended" ? "the candidate's worker ended" : this.#refusal ?? "";
    return {
      state,
      reason,
      canary: {
        champion: this.championVersion,
        candidate: version,
        setting,
        move,
        since: this.#since,
        champions: this.#champions.report(),
        candidates: this.#candidates.report(),
        compared: { ...this.#compared },
        dropped: this.#dropped,
      },
    };
  }

  #required() {
    const { canary: setting, version, move } = this.#options.pointer;
    if (setting) return { setting, version, move };
    throw new TypeError("Cannot run a canary: the pointer has no setting for it");
  }

  /**
   * Asks the other model about the image that was just answered: one at a time, only while no
   * request waits, and not all of the time. Nobody waits for it. A cached answer was compared when it was made.
   */
  #compare<Answer extends Answered>(answer: Answer, other: ServedModel, ask: Ask<Answer>): void {
    if (answer.cached) return;
    const began = performance.now();
    if (this.#comparing || began < this.#restsUntil || !this.#options.idle()) {
      this.#dropped++;
      return;
    }
    this.#comparing = true;
    const isCandidate = other === this.#model;
    const tally = isCandidate ? this.#candidates : this.#champions;
    void ask.aside(other).then(
      (classification) => {
        tally.answer(workOf(classification), { toClient: false });
        const pair = [answer.classification, classification] as const;
        const [champions, candidates] = isCandidate ? pair : pair.toReversed();
        this.#note(champions!, candidates!);
      },
      (error) => {
        if (isModelsFault(error)) tally.error();
      },
    ).finally(() => {
      this.#comparing = false;
      const ended = performance.now();
      this.#restsUntil = ended + (this.#options.rest ?? REST) * (ended - began);
    });
  }

  #note(champions: Classification, candidates: Classification): void {
    const [before, after] = [champions, candidates].map(({ predictions }) => predictions[0]?.label);
    if (before === after) this.#compared.agreed++;
    else if (after !== undefined && !this.#options.champion.labels.includes(after)) {
      this.#compared.newClass++;
    } else this.#compared.differed++;
  }
}

async function counted<Answer extends Answered>(
  tally: Tally,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  try {
    const answer = await ask();
    if (!answer.cached) tally.answer(workOf(answer.classification), { toClient: true });
    return answer;
  } catch (error) {
    if (isModelsFault(error)) tally.error();
    throw error;
  }
}

/** Milliseconds that the model and its preprocessing took, whoever waited for whom. */
function workOf({ timing: { decode_ms, inference_ms } }: Classification): number {
  return decode_ms + inference_ms;
}

/** A place in [0, 1) that an image has for ever. */
function placeOf(image: Uint8Array): number {
  return createHash("sha256").update(image).digest().readUInt32BE(0) / 2 ** 32;
}

/** Neither a broken image, nor a full queue, nor a client that went away. */
function isModelsFault(error: unknown): boolean {
  if (error instanceof ImageError || error instanceof ProblemError) return false;
  return !(error instanceof DOMException && error.name === "AbortError");
}
