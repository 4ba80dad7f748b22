
const VECTORS = 0u;
const STREAM = 0u;
const RATIO = 0f;
const SCALE = 0f;

struct Step {
  learning_rate: f32,
  seed: u32,
  step: u32,
  part: u32,
}

@group(0) @binding(0) var<storage, read> values: array<Stored4>;
@group(0) @binding(1) var<storage, read_write> result: array<Stored4>;
@group(0) @binding(2) var<uniform> step: Step;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64u + lane;
  if (at >= VECTORS) {
    return;
  }
  let counter = vec4u(at + step.part * VECTORS, step.step, STREAM, step.seed);
  let kept = uniform_floats(pcg4d(counter)) >= vec4f(RATIO);
  result[at] = Stored4(select(vec4f(), vec4f(values[at]) * SCALE, kept));
}
