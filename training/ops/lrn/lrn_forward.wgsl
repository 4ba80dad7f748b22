@group(0) @binding(0) var<storage, read> input: array<Stored4>;
@group(0) @binding(1) var<storage, read_write> output: array<Stored4>;

// Zero outside of the tower; `vector` is one more than the vector, to stay unsigned.
fn load(tower: u32, vector: u32) -> vec4f {
  if (vector < 1u || vector > TOWER_VECTORS) {
    return vec4f();
  }
  return vec4f(input[tower + vector - 1u]);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let thread = (group.y * groups.x + group.x) * 64u + lane;
  if (thread >= THREADS) {
    return;
  }
  let walk = walk_of(thread);
  let x_before = load(walk.tower, walk.first);
  var before = x_before * x_before;
  var x = load(walk.tower, walk.first + 1u);
  var here = x * x;
  for (var vector = walk.first; vector < walk.end; vector++) {
    let x_after = load(walk.tower, vector + 2u);
    let after = x_after * x_after;
    output[walk.tower + vector] = Stored4(x * negative_power(base(before, here, after)));
    before = here;
    here = after;
    x = x_after;
  }
}
