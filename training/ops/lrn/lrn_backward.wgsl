@group(0) @binding(0) var<storage, read> input: array<Stored4>;
@group(0) @binding(1) var<storage, read> grad_output: array<Stored4>;
@group(0) @binding(2) var<storage, read_write> grad_input: array<Stored4>;

// Zero outside of the tower; `vector` is two more than the vector, to stay unsigned.
fn load_x(tower: u32, vector: u32) -> vec4f {
  if (vector < 2u || vector > TOWER_VECTORS + 1u) {
    return vec4f();
  }
  return vec4f(input[tower + vector - 2u]);
}

fn load_gradient(tower: u32, vector: u32) -> vec4f {
  if (vector < 2u || vector > TOWER_VECTORS + 1u) {
    return vec4f();
  }
  return vec4f(grad_output[tower + vector - 2u]);
}

// Of one vector: x, dy s^-beta, and dy x s^(-beta - 1), which windows add up.
struct Terms {
  x: vec4f,
  direct: vec4f,
  spread: vec4f,
}

fn terms(x: vec4f, gradient: vec4f, s: vec4f) -> Terms {
  let direct = gradient * negative_power(s);
  return Terms(x, direct, direct * x / s);
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
  let tower = walk.tower;
  // Vectors by their distance from the one at hand: squares run two ahead of it, terms one.
  let x_0 = load_x(tower, walk.first);
  let x_1 = load_x(tower, walk.first + 1u);
  let x_2 = load_x(tower, walk.first + 2u);
  var x_ahead = load_x(tower, walk.first + 3u);
  var square = x_2 * x_2;
  var square_ahead = x_ahead * x_ahead;
  let s_before = base(x_0 * x_0, x_1 * x_1, square);
  var before = terms(x_1, load_gradient(tower, walk.first + 1u), s_before).spread;
  let s = base(x_1 * x_1, square, square_ahead);
  var here = terms(x_2, load_gradient(tower, walk.first + 2u), s);
  for (var vector = walk.first; vector < walk.end; vector++) {
    let x_next = load_x(tower, vector + 4u);
    let square_next = x_next * x_next;
    let s_after = base(square, square_ahead, square_next);
    let after = terms(x_ahead, load_gradient(tower, vector + 3u), s_after);
    let across = window_sum(before, here.spread, after.spread);
    grad_input[tower + vector] = Stored4(here.direct - 2.0 * ALPHA_PER_CHANNEL * BETA * here.x * across);
    before = here.spread;
    here = after;
    square = square_ahead;
    square_ahead = square_next;
    x_ahead = x_next;
  }
}
