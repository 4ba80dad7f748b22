import { placeValues } from "./place_values.ts";
import type { LeanNetwork } from "./read_network.ts";
import type { Step } from "./step.ts";
import type { Value } from "./value.ts";

/** A step ready to run, with its name for a profile. */
interface Bound {
  readonly label: string;
  readonly run: () => void;
}

/** Runs a network on batches of any size. Tables and activations are laid out anew for each size. */
export class LeanRunner {
  readonly #network: LeanNetwork;
  /** The heap's end behind the weights. */
  readonly #mark: number;
  #batch = 0;
  #bound: readonly Bound[] = [];
  #inputAt = 0;
  #outputAt = 0;

  constructor(network: LeanNetwork) {
    this.#network = network;
    this.#mark = network.heap.end;
  }

  /** `images`: [batch, channels, height, width] → [batch, classes]. */
  run(images: Float32Array, batch: number): Float32Array<ArrayBuffer> {
    this.#write(images, batch);
    for (const { run } of this.#bound) run();
    const { heap, output } = this.#network;
    const results = new Float32Array(batch * output.channels);
    for (let image = 0; image < batch; image++) {
      const row = heap.floats(this.#outputAt + image * output.imageBytes, output.channels);
      results.set(row, image * output.channels);
    }
    return results;
  }

  /** Milliseconds of each step in one run. */
  profile(images: Float32Array, batch: number): { label: string; milliseconds: number }[] {
    this.#write(images, batch);
    return this.#bound.map(({ label, run }) => {
      const started = performance.now();
      run();
      return { label, milliseconds: performance.now() - started };
    });
  }

  /** Bytes of WebAssembly memory. */
  get byteLength(): number {
    return this.#network.heap.byteLength;
  }

  #write(images: Float32Array, batch: number): void {
    this.prepare(batch);
    this.#network.heap.floats(this.#inputAt, images.length).set(images);
  }

  /**
   * Lays out tables and activations, as the first run of a batch size does.
   *
   * @throws {UnsupportedError} where weights were packed for another layout of their input.
   */
  prepare(batch: number): void {
    if (batch === this.#batch) return;
    const { heap, kernels, steps, input, output } = this.#network;
    heap.release(this.#mark);
    const places = placeValues(steps, output, batch);
    const start = heap.take(places.byteLength);
    const at = (value: Value) => start + places.offsets.get(value.root)! + value.originBytes;
    const placed = { kernels, heap, batch, at };
    const begun = new Set<Value>([input]);
    this.#bound = steps.flatMap((step) => {
      const gaps = step.outputs.map(({ root }) => root)
        .filter((root) => !begun.has(root) && root.hasGaps);
      step.outputs.forEach(({ root }) => begun.add(root));
      const run = step.bind(placed);
      if (gaps.length === 0) return [{ label: step.label, run }];
      return [fillGaps(step, gaps), { label: step.label, run }];
    });
    this.#inputAt = at(input);
    this.#outputAt = at(output);
    this.#batch = batch;

    /** Borders and what rounds up channels are zeros; other tensors have lain there before. */
    function fillGaps({ label }: Step, roots: readonly Value[]): Bound {
      return {
        label: `${label} (border)`,
        run: () => {
          for (const root of roots) {
            const from = at(root) - root.originBytes;
            kernels.fill(from, root.quantization?.zero ?? 0, root.imageBytes * batch);
          }
        },
      };
    }
  }
}
