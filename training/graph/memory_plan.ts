/**
 * Tensors that never live at the same time share memory.
 * @module
 */

export interface Lifetime {
  readonly bytes: number;
  /** Time of the first write and of the last use, inclusive. */
  readonly from: number;
  readonly to: number;
}

export interface MemoryPlan {
  /** Slot of each lifetime, by its index. */
  readonly slotOf: readonly number[];
  /** Bytes of each slot. */
  readonly slots: readonly number[];
}

/**
 * Greedy by size: each tensor, largest first, goes into the first slot that is free for its whole
 * life. A slot is a buffer of its own, because WebGPU lets no dispatch read and write one buffer.
 */
export function planMemory(lifetimes: readonly Lifetime[]): MemoryPlan {
  const slotOf = new Array<number>(lifetimes.length).fill(-1);
  const slots: number[] = [];
  const tenants: Lifetime[][] = [];
  const largestFirst = lifetimes.map((_, index) => index).sort((a, b) =>
    lifetimes[b]!.bytes - lifetimes[a]!.bytes || a - b
  );
  for (const index of largestFirst) {
    const own = lifetimes[index]!;
    let slot = tenants.findIndex((others) =>
      others.every((other) => other.to < own.from || own.to < other.from)
    );
    if (slot < 0) {
      slot = slots.length;
      slots.push(own.bytes);
      tenants.push([]);
    }
    tenants[slot]!.push(own);
    slotOf[index] = slot;
  }
  return { slotOf, slots };
}
