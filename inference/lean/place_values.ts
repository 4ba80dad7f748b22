import type { Section } from "./sections.ts";
import type { Value } from "./value.ts";

/** Kernels may read a few bytes behind a tensor (but use none of them). */
const SLACK = 64;
const ALIGNMENT = 64;

export interface Places {
  /** Bytes from the start of the activations' memory, by the tensor that has memory of its own. */
  readonly offsets: ReadonlyMap<Value, number>;
  readonly byteLength: number;
}

/**
 * A place for every tensor, in as little memory as first fit finds: largest first, each at the lowest
 * offset where no other lies that is alive at the same time.
 */
export function placeValues(section: Section, batch: number): Places {
  const placed: { value: Value; at: number; end: number; from: number; to: number }[] = [];
  const lives = [...lifetimes(section)].map(([value, life]) => ({
    value,
    ...life,
    bytes: Math.ceil((value.imageBytes * batch + SLACK) / ALIGNMENT) * ALIGNMENT,
  }));
  for (const { value, from, to, bytes } of lives.sort((a, b) => b.bytes - a.bytes)) {
    let at = 0;
    const others = placed.filter((other) => other.from <= to && from <= other.to)
      .sort((a, b) => a.at - b.at);
    for (const other of others) {
      if (at + bytes <= other.at) break;
      at = Math.max(at, other.end);
    }
    placed.push({ value, at, end: at + bytes, from, to });
  }
  return {
    offsets: new Map(placed.map(({ value, at }) => [value, at])),
    byteLength: placed.reduce((largest, { end }) => Math.max(largest, end), 0),
  };
}

/** First and last step that touch each tensor, its parts included. */
function lifetimes({ steps, input, output }: Section): Map<Value, { from: number; to: number }> {
  const lives = new Map<Value, { from: number; to: number }>();
  lives.set(input.root, { from: 0, to: 0 });
  steps.forEach(({ inputs, outputs }, index) => {
    for (const value of [...inputs, ...outputs]) {
      const life = lives.get(value.root);
      if (life) life.to = index;
      else lives.set(value.root, { from: index, to: index });
    }
  });
  lives.get(output.root)!.to = steps.length;
  return lives;
}
