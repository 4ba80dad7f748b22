/**
 * What the steps of an unrolled kernel cost on a software driver, to choose tiles by without
 * timing them. Nanoseconds on one core, for vectors of 16 lanes; fitted by hand to CPU times of
 * Mesa 22.3's llvmpipe on a Xeon with AVX-512, 2026-11-24, within a factor of 1.4.
 *
 * That driver turns a load from a storage buffer into a loop over its lanes, so operands are read
 * from images (`operand.ts`). A condition around a load costs twice as much again: kernels clamp the
 * address and select the value instead.
 * @module
 */

/** A vec4 load; one whose address and value are selected by a bounds check. */
export const LOAD_NS = 14;
export const CHECKED_LOAD_NS = 22;
export const STORE_NS = 200;
/** A broadcast of one number from a lane to all. */
const BROADCAST_NS = 0.9;
/** A vec4 sum carried round a loop: the driver stores it under a mask each time. */
const CARRIED_SUM_NS = 2.4;
/** One FMA, in a loop body that the processor's cache of decoded instructions holds, or not. */
const FMA_NS = 0.41;
const LARGE_BODY_FMA_NS = 0.6;
const LARGE_BODY_FMAS = 1600;
/** Compiling, by square of the vec4 sums and by vec4 multiply-add of the unrolled text. */
const COMPILE_SUM_NS = 0.1e6;
const COMPILE_FMA_NS = 0.4e6;
/** Over how many dispatches compiling must pay: about a short training. */
const DISPATCHES = 1000;
/** Workgroups that run at a time. */
export const THREADS = 2;

/**
 * Turns of all its loops together that an invocation may take. The driver ends them, and says nothing,
 * after 65,535 (llvmpipe's guard against endless loops): a weight gradient over 96 x 55 x 55 pixels in
 * steps of four lacked its last tenth (2026-11-24).
 */
export const MAX_LOOP_TURNS = 65_000;

/** One turn of the inner loop. */
export interface LoopBody {
  readonly loads: number;
  readonly checkedLoads: number;
  readonly broadcasts: number;
  /** vec4 sums, and vec4 multiply-adds onto them. */
  readonly sums: number;
  readonly multiplyAdds: number;
}

export function loopBodyNs(body: LoopBody): number {
  const fmas = 4 * body.multiplyAdds;
  return body.loads * LOAD_NS + body.checkedLoads * CHECKED_LOAD_NS +
    body.broadcasts * BROADCAST_NS + body.sums * CARRIED_SUM_NS +
    fmas * (fmas > LARGE_BODY_FMAS ? LARGE_BODY_FMA_NS : FMA_NS);
}

/** A dispatch's time with its share of the time to compile: what a choice should be least in. */
export function withCompiling(dispatchNs: number, body: LoopBody): number {
  const compile = body.sums ** 2 * COMPILE_SUM_NS + body.multiplyAdds * COMPILE_FMA_NS;
  return dispatchNs + compile / DISPATCHES;
}
