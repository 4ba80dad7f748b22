struct Step {
  learning_rate: f32,
  seed: u32,
  step: u32,
  part: u32,
  images: u32,
}

const ROWS = 1u;

@group(0) @binding(0) var<storage, read> losses: array<f32>;
@group(0) @binding(1) var<storage, read_write> totals: array<f32, 4 * ROWS>;
@group(0) @binding(2) var<uniform> step: Step;

// Thread by thread in a fixed order: equal losses give equal totals to the bit.
@compute @workgroup_size(4)
fn main(@builtin(local_invocation_index) column: u32) {
  var sum = 0f;
  if (column == 3u) {
    sum = f32(step.images);
  } else {
    for (var image = 0u; image < step.images; image++) {
      sum += losses[image * 3u + column];
    }
  }
  totals[step.step % ROWS * 4u + column] += sum;
}
