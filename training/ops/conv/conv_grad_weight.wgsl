const IN_HEIGHT = 0;
const IN_WIDTH = 0;
const IN_STRIDE = 0;
const OUT_HEIGHT = 0;
const OUT_WIDTH = 0;
const OUT_STRIDE = 0;
const GROUP_IN = 0;
const GROUP_OUT = 0;
const KERNEL_HEIGHT = 0;
const KERNEL_WIDTH = 0;
const STRIDE_Y = 0;
const STRIDE_X = 0;
const PAD_TOP = 0;
const PAD_LEFT = 0;
const PIXELS = 0u;
const SPLIT_FLOATS = 0u;
const ACCUMULATE = false;

@group(0) @binding(2) var<storage, read_write> grad_weight: array<vec4f>;

// Of a weight row: its input channel, its tap's row and column in the padded image.
fn row_a(m: u32, z: u32) -> vec3i {
  let tap = i32(m) / GROUP_IN;
  let channel = i32(z) * GROUP_IN + i32(m) % GROUP_IN;
  return vec3i(channel, tap / KERNEL_WIDTH - PAD_TOP, tap % KERNEL_WIDTH - PAD_LEFT);
}

fn load_a(row: vec3i, k: u32, z: u32) -> vec4f {
  let pixel = i32(k);
  let x = pixel % OUT_WIDTH * STRIDE_X + row.z;
  let y = pixel / OUT_WIDTH % OUT_HEIGHT * STRIDE_Y + row.y;
  let inside = k < PIXELS && y >= 0 && y < IN_HEIGHT && x >= 0 && x < IN_WIDTH;
  let image = pixel / (OUT_WIDTH * OUT_HEIGHT);
  let at = u32(((image * IN_HEIGHT + y) * IN_WIDTH + x) * IN_STRIDE + row.x) / 4u;
  return select(vec4f(), read_input(select(0u, at, inside)), inside);
}

fn column_b(n: u32, z: u32) -> vec3i {
  return vec3i(i32(z) * GROUP_OUT + i32(n), 0, 0);
}

fn load_b(column: vec3i, k: u32, z: u32) -> vec4f {
  let inside = k < PIXELS;
  let at = u32(i32(k) * OUT_STRIDE + column.x) / 4u;
  return select(vec4f(), read_grad_output(select(0u, at, inside)), inside);
}

fn store_c(m: u32, n: u32, z: u32, split: u32, value: vec4f) {
  let rows = u32(KERNEL_HEIGHT * KERNEL_WIDTH * GROUP_IN);
  let at = (split * SPLIT_FLOATS + (z * rows + m) * u32(GROUP_OUT) + n) / 4u;
  if (ACCUMULATE) {
    grad_weight[at] += value;
  } else {
    grad_weight[at] = value;
  }
}
