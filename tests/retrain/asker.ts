/** A running service, and a client that asks it without pause. */
import { TopfiveProcess } from "../topfive_process.ts";

interface Answer {
  readonly version: string;
  readonly labels: readonly string[];
}

const PAUSE_MS = 100;

export class Asker implements AsyncDisposable {
  readonly #service: TopfiveProcess;
  readonly #origin: string;
  readonly #failures: string[] = [];
  readonly #asking: Promise<void>;
  #answers = 0;
  #stopped = false;
  #last: Answer | null = null;
  #onAnswer = () => {};

  private constructor(
    service: TopfiveProcess,
    origin: string,
    images: readonly Uint8Array<ArrayBuffer>[],
    first: Answer,
  ) {
    this.#service = service;
    this.#origin = origin;
    this.#last = first;
    this.#asking = this.#ask(images);
  }

  /** Starts `topfive serve` on the store's "things", waits for an answer, and goes on asking. */
  static async start(
    folder: string,
    store: string,
    { images, pollSeconds }: {
      readonly images: readonly Uint8Array<ArrayBuffer>[];
      readonly pollSeconds: number;
    },
  ): Promise<Asker> {
    const service = new TopfiveProcess(folder, [
      ...["serve", "--store", store, "--model", "things", "--port", "0", "--cache", "0"],
      ...["--poll", String(pollSeconds)],
    ]);
    const [, origin] = await service.printed("stdout", /serves things \S+ at (http:\/\/\S+)/);
    return new Asker(service, origin!, images, await askOnce(origin!, images[0]!));
  }

  get origin(): string {
    return this.#origin;
  }

  get last(): Answer | null {
    return this.#last;
  }

  /** Resolves when the version answers. */
  async answeredBy(version: string, milliseconds: number): Promise<void> {
    const deadline = performance.now() + milliseconds;
    while (this.#last?.version !== version) {
      if (performance.now() > deadline) {
        throw new Error(`${this.#last?.version} still answers, not ${version}`);
      }
      await new Promise<void>((resolve) => this.#onAnswer = resolve);
    }
  }

  /** A page of the service. */
  async get(path: string): Promise<string> {
    const response = await fetch(new URL(path, this.#origin));
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return await response.text();
  }

  async stop(): Promise<{ answers: number; failures: readonly string[] }> {
    this.#stopped = true;
    await this.#asking;
    return { answers: this.#answers, failures: this.#failures };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#service[Symbol.asyncDispose]();
  }

  async #ask(images: readonly Uint8Array<ArrayBuffer>[]): Promise<void> {
    for (let i = 0; !this.#stopped; i++) {
      try {
        this.#last = await askOnce(this.#origin, images[i % images.length]!);
        this.#answers++;
      } catch (error) {
        this.#failures.push((error as Error).message);
      }
      this.#onAnswer();
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

async function askOnce(origin: string, image: Uint8Array<ArrayBuffer>): Promise<Answer> {
  const url = new URL("/v1/classify?top=99", origin);
  const response = await fetch(url, { method: "POST", body: image });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  const { version, predictions } = await response.json() as {
    version: string;
    predictions: { label: string }[];
  };
  return { version, labels: predictions.map(({ label }) => label) };
}
