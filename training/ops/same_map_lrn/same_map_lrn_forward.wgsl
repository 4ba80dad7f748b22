
const SCALE = 0f;
const BIAS = 0f;

@group(0) @binding(0) var<storage, read> input: array<Stored4>;
@group(0) @binding(1) var<storage, read_write> output: array<Stored4>;

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
  var sum = vec4f();
  for (var dy = -HALF; dy <= HALF; dy++) {
    for (var dx = -HALF; dx <= HALF; dx++) {
      let other = beside(i32(at), dy, dx);
      let x = select(vec4f(), vec4f(input[max(other, 0)]), other >= 0);
      sum += x * x;
    }
  }
  output[at] = Stored4(vec4f(input[at]) * negative_power(BIAS + SCALE * sum));
}
