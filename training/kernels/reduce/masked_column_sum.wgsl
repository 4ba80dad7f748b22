const ROWS = 0u;
const VECTORS = 0u;
const PARTS = 0u;
const PART_ROWS = 0u;
const ACCUMULATE = false;

@group(0) @binding(0) var<storage, read_write> values: array<Stored4>;
@group(0) @binding(1) var<storage, read> mask: array<Stored4>;
@group(0) @binding(2) var<storage, read_write> sums: array<vec4f>;

// Neighbouring threads take neighbouring columns, so that a subgroup reads one stretch of memory.
@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let item = (group.y * groups.x + group.x) * 64u + lane;
  if (item >= PARTS * VECTORS) {
    return;
  }
  let column = item % VECTORS;
  let first = item / VECTORS * PART_ROWS;
  let end = min(first + PART_ROWS, ROWS);
  var sum = vec4f();
  for (var row = first; row < end; row++) {
    let at = row * VECTORS + column;
    let value = select(vec4f(), vec4f(values[at]), vec4f(mask[at]) > vec4f());
    values[at] = Stored4(value);
    sum += value;
  }
  if (ACCUMULATE) {
    sums[item] += sum;
  } else {
    sums[item] = sum;
  }
}
