// One workgroup sums one chunk; the host adds up the chunks in float64.
const CHUNK_VECTORS = 4096u;

@group(0) @binding(0) var<storage, read> parameters: array<vec4f>;
@group(0) @binding(1) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(2) var<storage, read> momenta: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> sums: array<vec4f>;

var<workgroup> parts: array<vec4f, 64>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let chunk = group.y * groups.x + group.x;
  let end = min((chunk + 1u) * CHUNK_VECTORS, arrayLength(&parameters));
  var sum = vec4f();
  for (var i = chunk * CHUNK_VECTORS + lane; i < end; i += 64u) {
    sum.x += dot(parameters[i], parameters[i]);
    sum.y += dot(gradients[i], gradients[i]);
    sum.z += dot(momenta[i], momenta[i]);
  }
  parts[lane] = sum;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      parts[lane] += parts[lane + half];
    }
  }
  if (lane == 0u && chunk < arrayLength(&sums)) {
    sums[chunk] = parts[0];
  }
}
