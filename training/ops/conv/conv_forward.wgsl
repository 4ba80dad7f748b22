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
const RELU = false;

@group(0) @binding(2) var<storage, read> bias: array<Stored4>;
@group(0) @binding(3) var<storage, read_write> output: array<Stored4>;

// Of an output pixel: first number of its image and group, top and left of its window.
fn row_a(m: u32, z: u32) -> vec3i {
  let pixel = i32(m);
  let x = pixel % OUT_WIDTH;
  let y = pixel / OUT_WIDTH % OUT_HEIGHT;
  let image = pixel / (OUT_WIDTH * OUT_HEIGHT);
  let base = image * (IN_HEIGHT * IN_WIDTH * IN_STRIDE) + i32(z) * GROUP_IN;
  return vec3i(base, y * STRIDE_Y - PAD_TOP, x * STRIDE_X - PAD_LEFT);
}

fn load_a(row: vec3i, k: u32, z: u32) -> vec4f {
  let tap = i32(k) / GROUP_IN;
  let y = row.y + tap / KERNEL_WIDTH;
  let x = row.z + tap % KERNEL_WIDTH;
  let inside = y >= 0 && y < IN_HEIGHT && x >= 0 && x < IN_WIDTH;
  let at = u32(row.x + (y * IN_WIDTH + x) * IN_STRIDE + i32(k) % GROUP_IN) / 4u;
  return select(vec4f(), read_input(select(0u, at, inside)), inside);
}

fn column_b(n: u32, z: u32) -> vec3i {
  return vec3i(i32(z) * (KERNEL_HEIGHT * KERNEL_WIDTH * GROUP_IN * GROUP_OUT) + i32(n), 0, 0);
}

fn load_b(column: vec3i, k: u32, z: u32) -> vec4f {
  return read_weight(u32(column.x + i32(k) * GROUP_OUT) / 4u);
}

fn store_c(m: u32, n: u32, z: u32, split: u32, value: vec4f) {
  let channel = i32(z) * GROUP_OUT + i32(n);
  var result = value + vec4f(bias[u32(channel) / 4u]);
  if (RELU) {
    result = max(result, vec4f());
  }
  output[u32(i32(m) * OUT_STRIDE + channel) / 4u] = Stored4(result);
}
