const INPUTS = 0u;
const OUTPUTS = 0u;
const FIRST = 0u;
const SLAB = 0u;
const PANEL = 128u;
const RELU = false;

@group(0) @binding(2) var<storage, read> bias: array<Stored4>;
@group(0) @binding(3) var<storage, read_write> output: array<Stored4>;

fn row_a(m: u32, z: u32) -> vec3i {
  return vec3i(i32(m * INPUTS), 0, 0);
}

fn load_a(row: vec3i, k: u32, z: u32) -> vec4f {
  return read_input((u32(row.x) + k) / 4u);
}

// Of a column: where its panel's first row has it, and the panel's width.
fn column_b(n: u32, z: u32) -> vec3i {
  let panel = n / PANEL;
  let width = min(PANEL, SLAB - panel * PANEL);
  return vec3i(vec3u(panel * PANEL * INPUTS + n % PANEL, width, 0u));
}

fn load_b(column: vec3i, k: u32, z: u32) -> vec4f {
  return read_weight((u32(column.x) + k * u32(column.y)) / 4u);
}

fn store_c(m: u32, n: u32, z: u32, split: u32, value: vec4f) {
  var result = value + vec4f(bias[(FIRST + n) / 4u]);
  if (RELU) {
    result = max(result, vec4f());
  }
  output[(m * OUTPUTS + FIRST + n) / 4u] = Stored4(result);
}
