const INPUTS = 0u;
const OUTPUTS = 0u;
const FIRST = 0u;
const SLAB = 0u;
const PANEL = 128u;
const ADD = false;

@group(0) @binding(2) var<storage, read_write> grad_input: array<Stored4>;

fn row_a(m: u32, z: u32) -> vec3i {
  return vec3i(i32(m * OUTPUTS + FIRST), 0, 0);
}

fn load_a(row: vec3i, k: u32, z: u32) -> vec4f {
  return read_grad_output((u32(row.x) + k) / 4u);
}

fn column_b(n: u32, z: u32) -> vec3i {
  return vec3i(i32(n), 0, 0);
}

// Four outputs of one input are neighbours inside a panel.
fn load_b(column: vec3i, k: u32, z: u32) -> vec4f {
  let panel = k / PANEL;
  let width = min(PANEL, SLAB - panel * PANEL);
  return read_weight((panel * PANEL * INPUTS + u32(column.x) * width + k % PANEL) / 4u);
}

fn store_c(m: u32, n: u32, z: u32, split: u32, value: vec4f) {
  let at = (m * INPUTS + n) / 4u;
  if (ADD) {
    grad_input[at] = Stored4(vec4f(grad_input[at]) + value);
  } else {
    grad_input[at] = Stored4(value);
  }
}
