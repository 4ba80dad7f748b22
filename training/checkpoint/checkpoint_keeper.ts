import type { Engine } from "../graph/engine.ts";
import type { TrainingState } from "../training_state.ts";
import { BackgroundWriter } from "./background_writer.ts";
import type { CheckpointHeader, CheckpointOrigin } from "./checkpoint.ts";
import { addCheckpoint, checkpointPath, makeCheckpointFolder } from "./checkpoint_folder.ts";

export interface KeeperOptions {
  /** The run's folder. */
  readonly run: string;
  readonly engine: Engine;
  readonly origin: CheckpointOrigin;
  /** Latest checkpoints to keep, beside the best. */
  readonly keep: number;
}

/** What checkpoints cost. Seconds, added up. */
export interface KeeperTimes {
  readonly checkpoints: number;
  /** While the numbers came from the GPU and it had nothing else to do. */
  readonly reading: number;
  /** While they were hashed and written, mostly beside the training. */
  readonly writing: number;
}

/**
 * Keeps a training's checkpoints. The GPU waits while weights and momenta are read, one tensor at a
 * time; then it goes on, and a Worker writes. There is one copy of them on the host.
 */
export class CheckpointKeeper implements AsyncDisposable {
  readonly #options: KeeperOptions;
  readonly #writer = new BackgroundWriter();
  #pending: Promise<void> | null = null;
  #failure: unknown = null;
  #times = { checkpoints: 0, reading: 0, writing: 0 };
  #latest: number | null = null;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  get times(): KeeperTimes {
    return this.#times;
  }

  /** Step of the last checkpoint that is safely on the disk; null before the first. */
  get latest(): number | null {
    return this.#latest;
  }

  /** @throws what went wrong with the last checkpoint, if it is known by now. */
  check(): void {
    if (this.#failure) throw this.#failure;
  }

  /** Resolves when the training may go on. Waits for the checkpoint before. */
  async save(state: TrainingState): Promise<void> {
    await this.settle();
    const { run, engine, origin } = this.#options;
    const start = performance.now();
    await makeCheckpointFolder(run);
    const entries = engine.arena.slots.map(({ name, spec: { shape } }) => ({
      name,
      length: shape.reduce((product, size) => product * size, 1),
    }));
    const lossScale = engine.options.precision === "f16"
      ? { lossScale: await engine.readLossScale() }
      : {};
    const header: CheckpointHeader = {
      origin,
      state,
      parameters: entries,
      momenta: entries,
      ...lossScale,
    };
    const path = checkpointPath(run, state.step);
    const { written } = await this.#writer.write(path, header, engine.readTensors());
    const read = performance.now();
    this.#times.reading += (read - start) / 1000;
    this.#pending = this.#count(written, state, read).catch((error) => {
      this.#failure = error;
    });
  }

  /** Waits until what was saved is on the disk. */
  async settle(): Promise<void> {
    await this.#pending;
    this.#pending = null;
    this.check();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pending;
    this.#writer[Symbol.dispose]();
  }

  async #count(written: Promise<void>, state: TrainingState, from: number): Promise<void> {
    await written;
    await addCheckpoint(this.#options.run, state, this.#options.keep);
    this.#latest = state.step;
    this.#times.checkpoints++;
    this.#times.writing += (performance.now() - from) / 1000;
  }
}
