const VECTORS = 0u;
const IN_HEIGHT = 0;
const IN_WIDTH = 0;
const OUT_HEIGHT = 0;
const OUT_WIDTH = 0;
const PIXEL_VECTORS = 0;
const KERNEL_HEIGHT = 0;
const KERNEL_WIDTH = 0;
const STRIDE_Y = 0;
const STRIDE_X = 0;
const PAD_TOP = 0;
const PAD_LEFT = 0;

@group(0) @binding(0) var<storage, read> places: array<u32>;
@group(0) @binding(1) var<storage, read> grad_output: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> grad_input: array<vec4f>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64u + lane;
  if (at >= VECTORS) {
    return;
  }
  let vector = i32(at) % PIXEL_VECTORS;
  let pixel = i32(at) / PIXEL_VECTORS;
  let x = pixel % IN_WIDTH + PAD_LEFT;
  let y = pixel / IN_WIDTH % IN_HEIGHT + PAD_TOP;
  let image = pixel / (IN_WIDTH * IN_HEIGHT);
  // Windows over the pixel: from the first that ends behind it to the last that begins at it.
  let first_x = max(0, (x - KERNEL_WIDTH + STRIDE_X) / STRIDE_X);
  let first_y = max(0, (y - KERNEL_HEIGHT + STRIDE_Y) / STRIDE_Y);
  let last_x = min(x / STRIDE_X, OUT_WIDTH - 1);
  let last_y = min(y / STRIDE_Y, OUT_HEIGHT - 1);
  var sum = vec4f();
  for (var v = first_y; v <= last_y; v++) {
    for (var u = first_x; u <= last_x; u++) {
      let window = ((image * OUT_HEIGHT + v) * OUT_WIDTH + u) * PIXEL_VECTORS + vector;
      let packed = vec4u(places[window]) >> vec4u(0u, 8u, 16u, 24u) & vec4u(0xffu);
      let place = u32((y - v * STRIDE_Y) * KERNEL_WIDTH + x - u * STRIDE_X);
      sum += select(vec4f(), grad_output[window], packed == vec4u(place));
    }
  }
  grad_input[at] = sum;
}
