const VECTORS = 0u;

@group(0) @binding(0) var<storage, read> gradients: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> loss_scale: LossScale;

// Infinite and NaN have all bits of the exponent set. Compilers may fold x != x, but not bits.
const EXPONENT = 0x7f800000u;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let threads = groups.x * groups.y * 64u;
  var found = false;
  for (var at = (group.y * groups.x + group.x) * 64u + lane; at < VECTORS; at += threads) {
    found |= any((gradients[at] & vec4u(EXPONENT)) == vec4u(EXPONENT));
  }
  // Whoever finds one writes the same, so the order does not matter.
  if (found) {
    atomicStore(&loss_scale.overflow, 1u);
  }
}
