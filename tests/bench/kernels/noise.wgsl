const COUNT = 0u;
const SEED = 0u;
// Numbers a pixel in memory, and how many of them are channels.
const STRIDE = 0u;
const CHANNELS = 0u;

@group(0) @binding(0) var<storage, read_write> numbers: array<f32>;

// As `noise` in noise.ts, to the bit.
fn noise(place: u32) -> f32 {
  var h = place * 747796405u + SEED;
  h = ((h >> ((h >> 28u) + 4u)) ^ h) * 277803737u;
  h = (h >> 22u) ^ h;
  return f32(h >> 8u) * 0x1p-23f - 1.0;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let place = (group.y * groups.x + group.x) * 64u + lane;
  if (place < COUNT) {
    numbers[place] = select(0.0, noise(place), place % STRIDE < CHANNELS);
  }
}
