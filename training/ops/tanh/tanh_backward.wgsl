const VECTORS = 0u;

@group(0) @binding(0) var<storage, read> output: array<Stored4>;
@group(0) @binding(1) var<storage, read> grad_output: array<Stored4>;
@group(0) @binding(2) var<storage, read_write> grad_input: array<Stored4>;

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
  let y = vec4f(output[at]);
  grad_input[at] = Stored4(vec4f(grad_output[at]) * (1.0 - y * y));
}
