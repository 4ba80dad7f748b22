const THREADS = 0u;
const BATCH = 0;
const IN_HEIGHT = 0;
const IN_WIDTH = 0;
const OUT_HEIGHT = 0;
const OUT_WIDTH = 0;
const IN_VECTORS = 0;
const OUT_VECTORS = 0;
const KERNEL_HEIGHT = 0;
const KERNEL_WIDTH = 0;
const STRIDE_Y = 0;
const STRIDE_X = 0;
const PAD_TOP = 0;
const PAD_LEFT = 0;
const IMAGES = 4;

@group(0) @binding(0) var<storage, read> grad_output: array<Stored4>;
@group(0) @binding(1) var<storage, read> weights: array<Stored4>;
@group(0) @binding(2) var<storage, read_write> grad_input: array<Stored4>;

// Four images by four channels of one pixel: what each place over it sends back, in a fixed order.
@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64u + lane;
  if (at >= THREADS) {
    return;
  }
  let thread = i32(at);
  let c = thread % IN_VECTORS;
  let pixel = thread / IN_VECTORS % (IN_HEIGHT * IN_WIDTH);
  let first = thread / (IN_VECTORS * IN_HEIGHT * IN_WIDTH) * IMAGES;
  var sums: array<vec4f, IMAGES>;
  for (var r = 0; r < KERNEL_HEIGHT; r++) {
    for (var s = 0; s < KERNEL_WIDTH; s++) {
      let down = pixel / IN_WIDTH + PAD_TOP - r;
      let across = pixel % IN_WIDTH + PAD_LEFT - s;
      if (down < 0 || down % STRIDE_Y != 0 || down / STRIDE_Y >= OUT_HEIGHT) {
        continue;
      }
      if (across < 0 || across % STRIDE_X != 0 || across / STRIDE_X >= OUT_WIDTH) {
        continue;
      }
      let place = down / STRIDE_Y * OUT_WIDTH + across / STRIDE_X;
      let tap = (place * KERNEL_HEIGHT + r) * KERNEL_WIDTH + s;
      for (var o = 0; o < OUT_VECTORS; o++) {
        let row = (tap * IN_VECTORS + c) * 4 * OUT_VECTORS + o;
        let w_0 = vec4f(weights[row]);
        let w_1 = vec4f(weights[row + OUT_VECTORS]);
        let w_2 = vec4f(weights[row + 2 * OUT_VECTORS]);
        let w_3 = vec4f(weights[row + 3 * OUT_VECTORS]);
        for (var i = 0; i < IMAGES; i++) {
          let image = min(first + i, BATCH - 1);
          let value = vec4f(grad_output[(image * OUT_HEIGHT * OUT_WIDTH + place) * OUT_VECTORS + o]);
          sums[i] += vec4f(dot(value, w_0), dot(value, w_1), dot(value, w_2), dot(value, w_3));
        }
      }
    }
  }
  for (var i = 0; i < IMAGES && first + i < BATCH; i++) {
    grad_input[((first + i) * IN_HEIGHT * IN_WIDTH + pixel) * IN_VECTORS + c] = Stored4(sums[i]);
  }
}
