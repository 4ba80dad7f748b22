const WORDS = 1u;
const FLAG = 0u;
// Of a number, or of two float16 in a word: bits of one and of the other exponent.
const EXPONENT = 0x7f800000u;
const SECOND_EXPONENT = 0u;
const THREADS = 256u;

@group(0) @binding(0) var<storage, read> values: array<u32>;
@group(0) @binding(1) var<storage, read_write> flags: array<atomic<u32>>;

// By the bits: a driver may assume that no float is a NaN, so `x != x` proves nothing. An exponent of
// all ones is an infinity or a NaN (IEEE 754, 3.4).
@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (id.y * groups.x + id.x) * THREADS + lane;
  if (i >= WORDS) { return; }
  let word = values[i];
  let second = SECOND_EXPONENT != 0u && (word & SECOND_EXPONENT) == SECOND_EXPONENT;
  if ((word & EXPONENT) == EXPONENT || second) {
    atomicStore(&flags[FLAG], 1u);
  }
}
