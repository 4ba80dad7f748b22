const VECTORS = 0u;

@group(0) @binding(0) var<storage, read_write> parameters: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> momenta: array<vec4f>;
@group(0) @binding(2) var<storage, read> kept: array<vec4f>;

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
  // Not a product: the kept numbers stay to the bit, and a pruned one is 0 whatever it was.
  let stays = kept[at] != vec4f(0.0);
  parameters[at] = select(vec4f(0.0), parameters[at], stays);
  momenta[at] = select(vec4f(0.0), momenta[at], stays);
}
