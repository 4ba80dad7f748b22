const VECTORS = 0u;

@group(0) @binding(0) var<storage, read> output: array<Stored4>;
@group(0) @binding(1) var<storage, read_write> gradient: array<Stored4>;

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
  gradient[at] = Stored4(select(vec4f(), vec4f(gradient[at]), vec4f(output[at]) > vec4f()));
}
