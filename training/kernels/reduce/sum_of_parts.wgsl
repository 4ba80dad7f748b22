const PARTS = 0u;
const VECTORS = 0u;
const ACCUMULATE = false;

@group(0) @binding(0) var<storage, read> parts: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> total: array<vec4f>;

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
  for (var part = 0u; part < PARTS; part++) {
    sum += parts[part * VECTORS + at];
  }
  if (ACCUMULATE) {
    total[at] += sum;
  } else {
    total[at] = sum;
  }
}
