const VECTORS = 0u;
const MOMENTUM = 0f;
const RATE_MULTIPLIER = 1f;
const CONSTANT_RATE = 0f;
const DECAY = 0f;

struct Step {
  learning_rate: f32,
  seed: u32,
  step: u32,
  part: u32,
}

@group(0) @binding(0) var<storage, read_write> parameters: array<vec4f>;
@group(0) @binding(1) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> momenta: array<vec4f>;
@group(0) @binding(3) var<uniform> step: Step;
@group(0) @binding(4) var<storage, read_write> loss_scale: LossScale;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64u + lane;
  if (at >= VECTORS || atomicLoad(&loss_scale.overflow) != 0u) {
    return;
  }
  let rate = step.learning_rate * RATE_MULTIPLIER + CONSTANT_RATE;
  let weight = parameters[at];
  // A power of two: its reciprocal is exact.
  let gradient = gradients[at] * (1.0 / loss_scale.of_gradients);
  let velocity = MOMENTUM * momenta[at] - DECAY * rate * weight - rate * gradient;
  momenta[at] = velocity;
  parameters[at] = weight + velocity;
}
