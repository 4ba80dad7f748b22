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

@group(0) @binding(2) var<storage, read_write> grad_input: array<Stored4>;

// Of an input pixel: first number of its image and group in the output, its place in the padded image.
fn row_a(m: u32, z: u32) -> vec3i {
  let pixel = i32(m);
  let x = pixel % IN_WIDTH;
  let y = pixel / IN_WIDTH % IN_HEIGHT;
  let image = pixel / (IN_WIDTH * IN_HEIGHT);
  let base = image * (OUT_HEIGHT * OUT_WIDTH * OUT_STRIDE) + i32(z) * GROUP_OUT;
  return vec3i(base, y + PAD_TOP, x + PAD_LEFT);
}

// k counts (tap, output channel); the window whose tap covers the pixel starts at row.y - r.
fn load_a(row: vec3i, k: u32, z: u32) -> vec4f {
  let tap = i32(k) / GROUP_OUT;
  let top = row.y - tap / KERNEL_WIDTH;
  let left = row.z - tap % KERNEL_WIDTH;
  let y = top / STRIDE_Y;
  let x = left / STRIDE_X;
  let inside = top >= 0 && left >= 0 && top % STRIDE_Y == 0 && left % STRIDE_X == 0 &&
    y < OUT_HEIGHT && x < OUT_WIDTH;
  let at = u32(row.x + (y * OUT_WIDTH + x) * OUT_STRIDE + i32(k) % GROUP_OUT) / 4u;
  return select(vec4f(), read_grad_output(select(0u, at, inside)), inside);
}

fn column_b(n: u32, z: u32) -> vec3i {
  let base = i32(z) * (KERNEL_HEIGHT * KERNEL_WIDTH * GROUP_IN * GROUP_OUT);
  return vec3i(base + i32(n) * GROUP_OUT, 0, 0);
}

fn load_b(column: vec3i, k: u32, z: u32) -> vec4f {
  let tap = i32(k) / GROUP_OUT;
  return read_weight(u32(column.x + tap * (GROUP_IN * GROUP_OUT) + i32(k) % GROUP_OUT) / 4u);
}

fn store_c(m: u32, n: u32, z: u32, split: u32, value: vec4f) {
  grad_input[u32(i32(m) * IN_STRIDE + i32(z) * GROUP_IN + i32(n)) / 4u] = Stored4(value);
}
