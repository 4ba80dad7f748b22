const BATCH = 0u;
const INPUTS = 0u;
const OUTPUTS = 0u;
const FIRST = 0u;
const SLAB = 0u;
const PANEL = 128u;
const ACCUMULATE = false;

@group(0) @binding(2) var<storage, read_write> grad_weight: array<vec4f>;

fn row_a(m: u32, z: u32) -> vec3i {
  return vec3i(i32(m), 0, 0);
}

fn load_a(row: vec3i, k: u32, z: u32) -> vec4f {
  let inside = k < BATCH;
  let at = (k * INPUTS + u32(row.x)) / 4u;
  return select(vec4f(), read_input(select(0u, at, inside)), inside);
}

fn column_b(n: u32, z: u32) -> vec3i {
  return vec3i(i32(FIRST + n), 0, 0);
}

fn load_b(column: vec3i, k: u32, z: u32) -> vec4f {
  let inside = k < BATCH;
  let at = (k * OUTPUTS + u32(column.x)) / 4u;
  return select(vec4f(), read_grad_output(select(0u, at, inside)), inside);
}

fn store_c(m: u32, n: u32, z: u32, split: u32, value: vec4f) {
  let panel = n / PANEL;
  let width = min(PANEL, SLAB - panel * PANEL);
  let at = (panel * PANEL * INPUTS + m * width + n % PANEL) / 4u;
  if (ACCUMULATE) {
    grad_weight[at] += value;
  } else {
    grad_weight[at] = value;
  }
}
