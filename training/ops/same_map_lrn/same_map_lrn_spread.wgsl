
const SCALE = 0f;
const BIAS = 0f;

@group(0) @binding(0) var<storage, read> input: array<Stored4>;
@group(0) @binding(1) var<storage, read> grad_output: array<Stored4>;
@group(0) @binding(2) var<storage, read_write> direct: array<Stored4>;
@group(0) @binding(3) var<storage, read_write> spread: array<vec4f>;

// dy s^-beta, and what each square over this place adds up: dy x s^(-beta - 1).
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
  let s = BIAS + SCALE * sum;
  let gradient = vec4f(grad_output[at]) * negative_power(s);
  direct[at] = Stored4(gradient);
  spread[at] = gradient * vec4f(input[at]) / s;
}
